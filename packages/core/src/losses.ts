import type { Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';
import { softmaxCrossEntropy } from '@hypetune/ops';
import { squaredDistance } from './math/divergence.js';
import type { Task } from './step.js';

/** Loss of each row, `[rows]`, from `[rows, outputs]` logits and labels; not yet weighted. */
export type LossFunction = (logits: Tensor2D, labels: Tensor2D) => Tensor1D;

/** Softmax cross-entropy for classes, mean squared error over the outputs for values. */
export function defaultLoss(task: Task): LossFunction {
  return task === 'regression' ? squaredDistance : (logits, labels) => softmaxCrossEntropy(labels, logits);
}
