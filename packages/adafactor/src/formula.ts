import * as tf from '@tensorflow/tfjs-core';

/** beta2 at a parameter's t-th update, t from 1: `1 - t^-power`, so 0 at the first. */
export function secondDecay(age: number, power: number): number {
  return 1 - age ** -power;
}

/** Relative step size at a parameter's t-th update: `min(0.01, 1 / sqrt(t))`, with warm-up `min(1e-6 t, 1 / sqrt(t))`. */
export function relativeStep(age: number, warmup: boolean): number {
  return Math.min(warmup ? 1e-6 * age : 1e-2, 1 / Math.sqrt(age));
}

/** Root of the mean of the squares of all entries. */
export function rootMeanSquare(tensor: tf.Tensor): tf.Scalar {
  return tf.sqrt(tf.mean(tf.square(tensor)));
}

/** `decay before + (1 - decay) now`; any shape. */
export function running(before: tf.Tensor, now: tf.Tensor, decay: number): tf.Tensor {
  return tf.add(tf.mul(before, decay), tf.mul(now, 1 - decay));
}

/**
 * `g / sqrt(r c / mean(r))` for `g [..., rows, columns]`, r `[..., rows]` and c `[..., columns]` the means of its squares over
 * the other axis: the factored second moment.
 */
export function factoredDirection(gradient: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor): tf.Tensor {
  const share = tf.rsqrt(tf.div(rows, tf.mean(rows, -1, true)));
  return tf.mul(gradient, tf.mul(tf.expandDims(share, -1), tf.expandDims(tf.rsqrt(columns), -2)));
}

/** `u / max(1, rms(u) / threshold)`. */
export function clippedToSize(update: tf.Tensor, threshold: number): tf.Tensor {
  return tf.div(update, tf.maximum(tf.div(rootMeanSquare(update), threshold), 1));
}
