import * as tf from '@tensorflow/tfjs-core';

/** Cross-entropy of each row: -sum(labels * log softmax(logits)). labels and logits [B, C], float32 -> [B]. */
export function softmaxCrossEntropy(labels: tf.Tensor2D, logits: tf.Tensor2D): tf.Tensor1D {
  return tf.tidy(() => tf.neg(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), -1)));
}
