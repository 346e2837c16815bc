import * as tf from '@tensorflow/tfjs-core';
import type { Gradients } from '@hypetune/core';

/** Rounds of bisection: the threshold is found to 2^-24 of the importance's range. */
const ROUNDS = 24;

/** The mean of several gradients of the same rows, by name. */
export function average(gradients: readonly Gradients[]): Gradients {
  return Object.fromEntries(
    Object.keys(gradients[0]!).map((name) => [
      name,
      tf.div(tf.addN(gradients.map((each) => each[name]!)), gradients.length),
    ]),
  );
}

/**
 * How much a weight w matters, 0 to 1, from its gradients g_k under k dropout draws, all of one shape: the mean of
 * `P / (1 + P)`, `P = |mu| / sqrt(sum_k (g_k - mu)^2)` the perturbation factor, and `S / (1 + S)`, `S = |mu| / |w|` the
 * scaling factor, mu the mean gradient. 0 where mu is 0.
 */
export function importance(gradients: readonly tf.Tensor[], mean: tf.Tensor, value: tf.Tensor): tf.Tensor {
  const size = tf.abs(mean);
  const spread = tf.sqrt(tf.addN(gradients.map((gradient) => tf.squaredDifference(gradient, mean))));
  const share = (other: tf.Tensor): tf.Tensor => tf.div(size, tf.maximum(tf.add(size, other), 1e-30));
  return tf.mul(tf.add(share(spread), share(tf.abs(value))), 0.5);
}

/** The value that about `share` (0 to 1) of the entries above 0, over all tensors together, reach; entries are 0 to 1. */
export function threshold(tensors: readonly tf.Tensor[], share: number): tf.Scalar {
  const all = tf.concat(tensors.map((tensor) => tf.reshape(tensor, [-1])));
  const wanted = tf.mul(share, count(tf.greater(all, 0)));
  let low: tf.Tensor = tf.scalar(0);
  for (let width = 0.5, round = 0; round < ROUNDS; round++, width /= 2) {
    const middle = tf.add(low, width);
    const enough = tf.cast(tf.greaterEqual(count(tf.greaterEqual(all, middle)), wanted), 'float32');
    low = tf.add(low, tf.mul(enough, width));
  }
  return low as tf.Scalar;
}

/** `g` where the importance reaches the threshold, else 0. */
export function selected(gradient: tf.Tensor, importance: tf.Tensor, threshold: tf.Scalar): tf.Tensor {
  return tf.mul(gradient, tf.cast(tf.greaterEqual(importance, threshold), 'float32'));
}

function count(these: tf.Tensor): tf.Scalar {
  return tf.sum(tf.cast(these, 'float32'));
}
