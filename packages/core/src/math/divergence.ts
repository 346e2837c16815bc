import * as tf from '@tensorflow/tfjs-core';

/** Kullback-Leibler divergence `sum_c P (log P - log Q)` over the last axis, P and Q the softmaxes of `[..., classes]` logits. */
export function divergence(p: tf.Tensor, q: tf.Tensor): tf.Tensor {
  return tf.sum(tf.mul(tf.softmax(p), tf.sub(tf.logSoftmax(p), tf.logSoftmax(q))), -1);
}

/** `KL(P||Q) + KL(Q||P)` over the last axis: the sum, not half of it; gradients flow through both sides. */
export function symmetricDivergence(p: tf.Tensor, q: tf.Tensor): tf.Tensor {
  const difference = tf.sub(tf.logSoftmax(p), tf.logSoftmax(q));
  return tf.sum(tf.mul(tf.sub(tf.softmax(p), tf.softmax(q)), difference), -1);
}

/** Mean over the outputs of each row's squared difference, `[rows, outputs]` -> `[rows]`. */
export function squaredDistance(a: tf.Tensor, b: tf.Tensor): tf.Tensor1D {
  return tf.mean(tf.squaredDifference(a, b), -1);
}
