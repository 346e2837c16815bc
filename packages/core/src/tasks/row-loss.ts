import * as tf from '@tensorflow/tfjs-core';
import { HypetuneError, show } from '../errors.js';
import { print } from './output.js';
import type { LossFunction, Task } from './task.js';

/** The loss of each row, a trainer's own or its task's. Throws, when it is called, unless it gives one number a row. */
export function rowLossOf({ task, loss }: { task: Task; loss?: LossFunction | undefined }): LossFunction {
  const of = loss ?? task.loss;
  const owner = loss ? 'trainer: loss' : `task '${task.name}': loss`;
  return (logits, labels) => {
    const rows = logits.shape[0]!;
    const result = of(logits, labels) as tf.Tensor | undefined;
    const shape = result instanceof tf.Tensor ? result.shape : undefined;
    if (shape?.length === 1 && shape[0] === rows) return result as tf.Tensor1D;
    const got = shape ? `one of shape ${print(shape)}` : show(result);
    throw new HypetuneError(
      `${owner} must return the loss of each row, a tensor of shape [${rows}], got ${got}; ` +
        `the trainer takes the mean over the rows (the losses of tfjs: Reduction.NONE).`,
    );
  };
}
