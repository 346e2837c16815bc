import * as tf from '@tensorflow/tfjs-core';
import { randomUniform, type Key } from '@hypetune/ops';

/** Half width of NEFTune's noise for `[rows, length, width]` vectors: `alpha / sqrt(length * width)`; a float input `[rows, width]` has length 1. */
export function noiseScale(shape: readonly number[], alpha: number): number {
  return alpha / Math.sqrt(shape.slice(1).reduce((product, size) => product * size, 1));
}

/**
 * `x + U(-1, 1) * alpha / sqrt(length * width)`, fresh for every entry. With a mask `[rows, length]` each row's length is its number
 * of tokens and what pads it gets no noise.
 */
export function addNoise(vectors: tf.Tensor, alpha: number, key: Key, mask?: tf.Tensor2D): tf.Tensor {
  const scale = noiseScale(vectors.shape, alpha);
  const noise = randomUniform(vectors.shape, key, -scale, scale);
  if (!mask || vectors.rank !== 3 || vectors.shape[1] !== mask.shape[1]) return tf.add(vectors, noise);
  const stretch = tf.sqrt(tf.div(vectors.shape[1]!, tf.maximum(tf.sum(mask, 1, true), 1)));
  return tf.add(vectors, tf.mul(noise, tf.expandDims(tf.mul(mask, stretch), 2)));
}
