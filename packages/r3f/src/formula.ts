import * as tf from '@tensorflow/tfjs-core';
import type { Task } from '@hypetune/core';
import { randomNormal, randomUniform, type Key } from '@hypetune/ops';

export const noises = ['uniform', 'normal'] as const;

/** U(-scale, scale) or N(0, scale^2), float32. */
export function embeddingNoise(
  noise: (typeof noises)[number],
  shape: number[],
  scale: number,
  key: Key,
): tf.Tensor {
  return noise === 'normal' ? randomNormal(shape, key, scale) : randomUniform(shape, key, -scale, scale);
}

/**
 * The term of each row, `[rows]`: `weight` times the divergence of the task: `KL(P||Q) + KL(Q||P)` for classes (the sum of it over
 * labels, its mean over tokens), `mean((p - q)^2)` for values. Nothing is detached: the gradient flows through both passes.
 */
export function consistency(
  divergence: NonNullable<Task['divergence']>,
  clean: tf.Tensor,
  noised: tf.Tensor,
  labels: tf.Tensor,
  weight: number,
): tf.Tensor1D {
  return tf.mul(divergence(clean, noised, labels), weight);
}
