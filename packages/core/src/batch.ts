import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { Label } from './tasks/task.js';

/** One microbatch on the engine; `beforeBatch` may replace any of it. */
export interface Batch {
  /** The model's inputs in its own order, each `[rows, ...]`. */
  readonly inputs: readonly Tensor[];
  /**
   * `[rows, ...]` as the task collates them: probabilities of classes (one-hot unless mixed), of the classes of each token, of
   * labels, or values.
   */
  readonly labels: Tensor;
  /** `[rows]` weight of each row in every mean: 1, or what the task says (tokens that count); 0 for a row that only pads the batch. */
  readonly weights: Tensor1D;
  /** Where each row stands in the data set. */
  readonly indices: readonly number[];
}

/** Rows a trainer can learn from; `tensorData` makes one from plain tensors. */
export interface Dataset {
  readonly size: number;
  /** The label of a row in the form that the task wants: a class or value, or a list of numbers. */
  label(index: number): Label;
  /** Number of tokens of a row, where rows differ in length. */
  length?(index: number): number;
  /** The model's inputs for these rows, padded to `length` tokens if given. */
  inputs(indices: readonly number[], length?: number): Tensor[];
}
