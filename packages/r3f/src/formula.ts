import * as tf from '@tensorflow/tfjs-core';
import { outputDistance, type Task } from '@hypetune/core';
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
 * The term of each row, `[rows]`: `weight * (KL(P||Q) + KL(Q||P))` for the softmaxes of clean and noised `[rows, classes]`
 * logits, `weight * mean((p - q)^2)` for values. Nothing is detached: the gradient flows through both passes.
 */
export function consistency(
  task: Task,
  clean: tf.Tensor2D,
  noised: tf.Tensor2D,
  weight: number,
): tf.Tensor1D {
  return tf.mul(outputDistance(task, clean, noised), weight);
}
