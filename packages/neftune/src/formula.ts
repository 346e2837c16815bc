import * as tf from '@tensorflow/tfjs-core';
import { randomUniform, type Key } from '@hypetune/ops';

/** Half width of NEFTune's noise for `[rows, length, width]` vectors: `alpha / sqrt(length * width)`; a float input `[rows, width]` has length 1. */
export function noiseScale(shape: readonly number[], alpha: number): number {
  return alpha / Math.sqrt(shape.slice(1).reduce((product, size) => product * size, 1));
}

/** `x + U(-1, 1) * alpha / sqrt(length * width)`, fresh for every entry. */
export function addNoise(vectors: tf.Tensor, alpha: number, key: Key): tf.Tensor {
  const scale = noiseScale(vectors.shape, alpha);
  return tf.add(vectors, randomUniform(vectors.shape, key, -scale, scale));
}
