import * as tf from '@tensorflow/tfjs-core';

/**
 * `W + (u - 1/2) * intensity * std(W)`, u of W's shape in [0, 1), std the unbiased deviation (n - 1) over all entries.
 * A tensor of one entry has none and is returned as it is.
 */
export function noisyWeight(weight: tf.Tensor, uniform: tf.Tensor, intensity: number): tf.Tensor {
  if (weight.size < 2) return weight;
  const centred = tf.sub(weight, tf.mean(weight));
  const deviation = tf.sqrt(tf.div(tf.sum(tf.square(centred)), weight.size - 1));
  return tf.add(weight, tf.mul(tf.sub(uniform, 0.5), tf.mul(deviation, intensity)));
}
