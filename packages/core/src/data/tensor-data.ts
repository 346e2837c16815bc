import * as tf from '@tensorflow/tfjs-core';
import type { Dataset } from '../batch.js';
import { HypetuneError, show } from '../errors.js';
import type { Label } from '../tasks/task.js';

/**
 * A data set from tensors that hold every row: `inputs` in the model's order, each `[rows, ...]`; `labels` the label of
 * each row as the task wants it (a class, a value, a list of numbers), or a tensor of them, `[rows]` or `[rows, ...]`, which is read
 * at once. The tensors stay the caller's, who disposes them when training is over.
 */
export function tensorData(
  inputs: tf.Tensor | readonly tf.Tensor[],
  given: readonly Label[] | tf.Tensor,
): Dataset {
  const labels = given instanceof tf.Tensor ? labelsOf(given) : given;
  const tensors: readonly tf.Tensor[] = inputs instanceof Array ? inputs : [inputs];
  if (tensors.length === 0) throw new HypetuneError('tensorData: give at least one input tensor.');
  if (!(labels instanceof Array) && !ArrayBuffer.isView(labels))
    throw new HypetuneError(
      `tensorData: labels must be a list of the label of each row, or a tensor of them, got ${show(labels)}.`,
    );
  for (const [place, tensor] of tensors.entries()) {
    if (!(tensor instanceof tf.Tensor))
      throw new HypetuneError(
        `tensorData: input ${place} must be a tensor [rows, ...], got ${show(tensor)}; make one with tf.tensor.`,
      );
    if (tensor.shape[0] !== labels.length)
      throw new HypetuneError(
        `tensorData: input ${place} has shape [${tensor.shape.join(', ')}] but there are ${labels.length} labels; ` +
          'the first dimension counts the rows.',
      );
  }
  return {
    size: labels.length,
    label: (index) => labels[index]!,
    inputs: (indices) => {
      const rows = tf.tensor1d([...indices], 'int32');
      const picked = tensors.map((tensor) => tf.gather(tensor, rows));
      rows.dispose();
      return picked;
    },
  };
}

function labelsOf(tensor: tf.Tensor): readonly Label[] {
  if ((tensor.rank !== 1 && tensor.rank !== 2) || tensor.dtype === 'string')
    throw new HypetuneError(
      `tensorData: labels must be numbers of shape [rows] or [rows, labels of a row], got ${tensor.dtype} of shape [${tensor.shape.join(', ')}].`,
    );
  return tensor.arraySync() as Label[];
}
