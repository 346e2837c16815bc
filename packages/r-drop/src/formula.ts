import * as tf from '@tensorflow/tfjs-core';
import { squaredDistance, symmetricDivergence, type Task } from '@hypetune/core';

/**
 * The term of each row, `[rows]`: `weight / 2 * (KL(P||Q) + KL(Q||P))` for the softmaxes of two passes' `[rows, classes]`
 * logits, `weight * mean((p - q)^2)` for values. Nothing is detached.
 */
export function disagreement(
  task: Task,
  first: tf.Tensor2D,
  second: tf.Tensor2D,
  weight: number,
): tf.Tensor1D {
  return task === 'regression'
    ? tf.mul(squaredDistance(first, second), weight)
    : tf.mul(symmetricDivergence(first, second), weight / 2);
}
