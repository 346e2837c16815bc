import * as tf from '@tensorflow/tfjs-core';

/** `(1 - alpha) reference + alpha weight`; any shape. */
export function interpolated(reference: tf.Tensor, weight: tf.Tensor, alpha: number): tf.Tensor {
  return tf.add(tf.mul(reference, 1 - alpha), tf.mul(weight, alpha));
}
