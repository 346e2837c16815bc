import * as tf from '@tensorflow/tfjs-core';
import { symmetricDivergence, type Task } from '@hypetune/core';

/**
 * The term of each row, `[rows]`: `weight` times the divergence of the task from the mean `1/2 (KL(P||Q) + KL(Q||P))` of classes (the
 * sum of it over labels, its mean over tokens), or `mean((p - q)^2)` of values. Nothing is detached.
 */
export function disagreement(
  divergence: NonNullable<Task['divergence']>,
  first: tf.Tensor,
  second: tf.Tensor,
  labels: tf.Tensor,
  weight: number,
): tf.Tensor1D {
  const half = (p: tf.Tensor, q: tf.Tensor): tf.Tensor => tf.div(symmetricDivergence(p, q), 2);
  return tf.mul(divergence(first, second, labels, half), weight);
}
