import * as tf from '@tensorflow/tfjs-core';
import type { Gradients } from '@hypetune/core';
import { randomUniform, type Key } from '@hypetune/ops';

/**
 * First perturbation of `[rows, length, width]` vectors: `U(-1, 1) * magnitude / sqrt(length * width)`. With a mask `[rows, length]`
 * each row's length is its number of tokens and what pads it stays 0.
 */
export function start(shape: readonly number[], magnitude: number, key: Key, mask?: tf.Tensor2D): tf.Tensor {
  if (magnitude === 0) return tf.zeros([...shape]);
  const size = shape.slice(1).reduce((product, n) => product * n, 1);
  const scale = magnitude / Math.sqrt(size);
  const drawn = randomUniform([...shape], key, -scale, scale);
  if (!mask || shape.length !== 3 || shape[1] !== mask.shape[1]) return drawn;
  const stretch = tf.sqrt(tf.div(shape[1], tf.maximum(tf.sum(mask, 1, true), 1)));
  return tf.mul(drawn, tf.expandDims(tf.mul(mask, stretch), 2));
}

/** One step up: `d + rate * g / ||g||`, then shortened to `maxNorm` if longer (0: any length); norms are those of each row of the batch. */
export function ascend(delta: tf.Tensor, gradient: tf.Tensor, rate: number, maxNorm: number): tf.Tensor {
  const moved = tf.add(delta, tf.div(tf.mul(gradient, rate), tf.maximum(rowNorm(gradient), 1e-8)));
  if (maxNorm === 0) return moved;
  return tf.mul(moved, tf.minimum(1, tf.div(maxNorm, tf.maximum(rowNorm(moved), 1e-8))));
}

/** Sum over the gradient sets of `g / K`. */
export function average(sets: readonly Gradients[]): Gradients {
  const mean = (name: string): tf.Tensor => tf.div(tf.addN(sets.map((set) => set[name]!)), sets.length);
  return Object.fromEntries(Object.keys(sets[0] ?? {}).map((name) => [name, mean(name)]));
}

/** Euclidean norm of each row of the batch, ready to broadcast. */
function rowNorm(x: tf.Tensor): tf.Tensor {
  const axes = x.shape.map((_, axis) => axis).slice(1);
  return tf.sqrt(tf.sum(tf.square(x), axes, true));
}
