import * as tf from '@tensorflow/tfjs-core';
import { detach } from '@hypetune/core';
import { randomUniform, type Key } from '@hypetune/ops';

/** s: `alpha / r`, rank-stabilized `alpha / sqrt(r)` (Kalajdzievski, 2023). */
export function scaling(alpha: number, rank: number, stabilized: boolean): number {
  return alpha / (stabilized ? Math.sqrt(rank) : rank);
}

/** First value of A `[in, r]`: U(-1/sqrt(in), 1/sqrt(in)), which is He's for a leaky slope of sqrt(5). */
export function initialDown(inputs: number, rank: number, key: Key): tf.Tensor {
  const bound = 1 / Math.sqrt(inputs);
  return randomUniform([inputs, rank], key, -bound, bound);
}

/** `W + s A B` for W `[in, out]`, A `[in, r]`, B `[r, out]`. */
export function adapted(weight: tf.Tensor, down: tf.Tensor, up: tf.Tensor, scale: number): tf.Tensor {
  return tf.add(weight, tf.mul(tf.matMul(down as tf.Tensor2D, up as tf.Tensor2D), scale));
}

/** Length of what leads to each output of a kernel `[in, out]`: `[out]`. */
export function outputNorms(kernel: tf.Tensor): tf.Tensor {
  return tf.sqrt(tf.sum(tf.square(kernel), 0));
}

/** DoRA: `m V / ||V||`, V `[in, out]`, m `[out]`, the norms those of `outputNorms`, constants to the gradient. */
export function withMagnitude(kernel: tf.Tensor, magnitude: tf.Tensor): tf.Tensor {
  return tf.mul(kernel, tf.div(magnitude, detach(outputNorms(kernel))));
}
