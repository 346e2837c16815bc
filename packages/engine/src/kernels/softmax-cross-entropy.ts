import type { Kernel } from '../recording/kernel.js';
import { Notation } from './notation.js';

/** labels and logits [B, C] -> -sum(labels log softmax(logits)) of each row [B]. */
export const softmaxCrossEntropy: Kernel = {
  name: 'SoftmaxCrossEntropy',
  build: (operations, [labels, logits]) => {
    const n = new Notation(operations);
    return [n.op('Neg', n.sum(n.mul(labels!, n.op('LogSoftmax', logits!)), -1))];
  },
};

/** gradient [B], labels and logits [B, C] -> gradient for the logits. */
export const softmaxCrossEntropyGradient: Kernel = {
  name: 'SoftmaxCrossEntropyGradient',
  build: (operations, [gradient, labels, logits]) => {
    const n = new Notation(operations);
    const difference = n.sub(n.mul(n.op('Softmax', logits!), n.sumLast(labels!)), labels!);
    return [n.mul(n.reshape(gradient!, [gradient!.shape[0]!, 1]), difference)];
  },
};
