import * as tf from '@tensorflow/tfjs-core';
import type { Batch, Dataset } from '../batch.js';
import { HypetuneError } from '../errors.js';
import type { Task } from '../step.js';
import { paddedLength, type Padding } from './padding.js';

export interface CollateOptions {
  readonly task: Task;
  /** Classes, or values a row. */
  readonly width: number;
  /** Pad the batch to so many rows, the extra ones with weight 0. */
  readonly rows: number;
  readonly padding: Padding;
}

/** Brings the rows of a data set onto the engine. Throws on a label outside of the classes. */
export function collate(data: Dataset, indices: readonly number[], options: CollateOptions): Batch {
  const { task, width, rows } = options;
  const padded = [
    ...indices,
    ...Array.from({ length: Math.max(0, rows - indices.length) }, () => indices[0]!),
  ];
  const labels = new Float32Array(padded.length * width);
  padded.forEach((index, row) => {
    const label = data.label(index);
    if (task === 'regression') labels.fill(label, row * width, (row + 1) * width);
    else labels[row * width + checkLabel(label, index, width)] = 1;
  });
  return {
    inputs: data.inputs(padded, batchLength(data, padded, options.padding)),
    labels: tf.tensor2d(labels, [padded.length, width]),
    weights: tf.tensor1d(Float32Array.from(padded, (_, row) => (row < indices.length ? 1 : 0))),
    indices: padded,
  };
}

function batchLength(data: Dataset, indices: readonly number[], padding: Padding): number | undefined {
  if (!data.length) return undefined;
  return paddedLength(Math.max(...indices.map((index) => data.length!(index))), padding);
}

function checkLabel(label: number, index: number, classes: number): number {
  if (Number.isInteger(label) && label >= 0 && label < classes) return label;
  throw new HypetuneError(
    `data: row ${index} has label ${label}; a model of ${classes} classes wants a whole number from 0 to ${classes - 1}.`,
  );
}
