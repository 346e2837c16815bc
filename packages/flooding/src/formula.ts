import * as tf from '@tensorflow/tfjs-core';

/** `|J - b| + b`: the loss J above the level b, its mirror image below, where the gradient turns round. A scalar. */
export function flooded(loss: tf.Scalar, level: number): tf.Scalar {
  return tf.add(tf.abs(tf.sub(loss, level)), level);
}
