import * as tf from '@tensorflow/tfjs-core';
import { runKernel, useKernels, withGradient } from '../kernels.js';
import { logSoftmax } from './softmax.js';

/** Cross-entropy of each row: -sum(labels * log softmax(logits)). labels and logits [B, C], float32 -> [B]. */
export function softmaxCrossEntropy(labels: tf.Tensor2D, logits: tf.Tensor2D): tf.Tensor1D {
  if (!tf.util.arraysEqual(labels.shape, logits.shape)) {
    throw new Error(
      `softmaxCrossEntropy: labels and logits must have one shape [rows, classes], got [${labels.shape.join()}] and [${logits.shape.join()}].`,
    );
  }
  if (useKernels('SoftmaxCrossEntropy', 'SoftmaxCrossEntropyGradient')) {
    return withGradient(
      [labels, logits],
      [labels, logits],
      () => runKernel('SoftmaxCrossEntropy', { labels, logits })[0]!,
      (gradient, [labels, logits]) => [
        tf.neg(tf.mul(tf.expandDims(gradient, -1), tf.logSoftmax(logits!))),
        runKernel('SoftmaxCrossEntropyGradient', { gradient, labels, logits })[0]!,
      ],
    ) as tf.Tensor1D;
  }
  return tf.tidy(() => tf.neg(tf.sum(tf.mul(labels, logSoftmax(logits)), -1)));
}
