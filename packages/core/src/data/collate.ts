import * as tf from '@tensorflow/tfjs-core';
import type { Batch, Dataset } from '../batch.js';
import { HypetuneError } from '../errors.js';
import type { ModelOutput, Task } from '../tasks/task.js';
import { paddedLength, type Padding } from './padding.js';

export interface CollateOptions {
  readonly task: Task;
  readonly output: ModelOutput;
  /** Pad the batch to so many rows, the extra ones with weight 0. */
  readonly rows: number;
  readonly padding: Padding;
}

/** Brings the rows of a data set onto the engine. Throws on a label that the task does not know. */
export function collate(data: Dataset, indices: readonly number[], options: CollateOptions): Batch {
  const { task, output } = options;
  const { inputs, padded } = collateInputs(data, indices, options);
  const { values, shape, weights } = task.collate(
    padded.map((index) => data.label(index)),
    {
      outputs: task.outputs(output),
      length: output.shape.length > 2 ? (output.shape[1] ?? inputs[0]?.shape[1]) : undefined,
      row: (place) => padded[place]!,
    },
  );
  return {
    inputs,
    labels: tf.tensor(values, [...shape]),
    weights: tf.tensor1d(Float32Array.from(weights, (weight, row) => (row < indices.length ? weight : 0))),
    indices: padded,
  };
}

/** What some rows weigh together in every mean. Throws on a label that the task does not know. */
export function weightOf(
  data: Dataset,
  indices: readonly number[],
  { task, output }: Pick<CollateOptions, 'task' | 'output'>,
): number {
  const labels = indices.map((index) => data.label(index));
  const { weights } = task.collate(labels, {
    outputs: task.outputs(output),
    // What a row weighs does not depend on how far it is padded.
    length: Math.max(1, ...labels.map((label) => (label instanceof Array ? label.length : 1))),
    row: (place) => indices[place]!,
  });
  return weights.reduce((sum, weight) => sum + weight, 0);
}

/** Rows whose labels are looked at together. */
const CHUNK = 256;

/** Throws where a data set has no rows, a label that the task does not know, or none that counts; `what` names it in errors. */
export function checkLabels(
  data: Dataset,
  what: string,
  setting: Pick<CollateOptions, 'task' | 'output'>,
): void {
  if (data.size === 0) throw new HypetuneError(`trainer: the ${what} data has no rows.`);
  let weight = 0;
  for (let start = 0; start < data.size; start += CHUNK) {
    const length = Math.min(CHUNK, data.size - start);
    const rows = Array.from({ length }, (_, place) => start + place);
    weight += weightOf(data, rows, setting);
  }
  if (weight === 0)
    throw new HypetuneError(`trainer: no label of the ${what} data counts; each is to be ignored.`);
}

/** The inputs of some rows, filled up to `rows` with the first of them. */
export function collateInputs(
  data: Dataset,
  indices: readonly number[],
  { rows, padding }: Pick<CollateOptions, 'rows' | 'padding'>,
): { inputs: tf.Tensor[]; padded: readonly number[] } {
  const missing = Math.max(0, rows - indices.length);
  const padded = [...indices, ...Array.from({ length: missing }, () => indices[0]!)];
  return { inputs: data.inputs(padded, batchLength(data, padded, padding)), padded };
}

function batchLength(data: Dataset, indices: readonly number[], padding: Padding): number | undefined {
  if (!data.length) return undefined;
  return paddedLength(Math.max(...indices.map((index) => data.length!(index))), padding);
}
