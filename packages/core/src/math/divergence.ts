import * as tf from '@tensorflow/tfjs-core';
import type { Task } from '../step.js';

/** Kullback-Leibler divergence of each row, `sum_c P (log P - log Q)`, P and Q the softmaxes of `[rows, classes]` logits. */
export function divergence(p: tf.Tensor2D, q: tf.Tensor2D): tf.Tensor1D {
  return tf.sum(tf.mul(tf.softmax(p), tf.sub(tf.logSoftmax(p), tf.logSoftmax(q))), -1);
}

/** `KL(P||Q) + KL(Q||P)` of each row: the sum, not half of it; gradients flow through both sides. */
export function symmetricDivergence(p: tf.Tensor2D, q: tf.Tensor2D): tf.Tensor1D {
  const difference = tf.sub(tf.logSoftmax(p), tf.logSoftmax(q));
  return tf.sum(tf.mul(tf.sub(tf.softmax(p), tf.softmax(q)), difference), -1);
}

/** Mean over the outputs of each row's squared difference, for `[rows, outputs]`. */
export function squaredDistance(a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor1D {
  return tf.mean(tf.squaredDifference(a, b), -1);
}

/** How far two passes' outputs lie apart, by row: `symmetricDivergence` for classes, `squaredDistance` for values. */
export function outputDistance(task: Task, a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor1D {
  return task === 'regression' ? squaredDistance(a, b) : symmetricDivergence(a, b);
}
