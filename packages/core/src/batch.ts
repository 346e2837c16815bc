import type { Tensor, Tensor1D, Tensor2D } from '@tensorflow/tfjs-core';

/** One microbatch on the engine; `beforeBatch` may replace any of it. */
export interface Batch {
  /** The model's inputs in its own order, each `[rows, ...]`. */
  readonly inputs: readonly Tensor[];
  /** `[rows, classes]` probabilities (one-hot unless mixed) for classification, `[rows, outputs]` for regression. */
  readonly labels: Tensor2D;
  /** `[rows]` weight of each row in every mean; 0 for a row that only pads the batch. */
  readonly weights: Tensor1D;
  /** Where each row stands in the data set. */
  readonly indices: readonly number[];
}

/** Rows a trainer can learn from; `tensorData` makes one from plain tensors. */
export interface Dataset {
  readonly size: number;
  /** Class index (classification) or target value (regression) of a row. */
  label(index: number): number;
  /** Number of tokens of a row, where rows differ in length. */
  length?(index: number): number;
  /** The model's inputs for these rows, padded to `length` tokens if given. */
  inputs(indices: readonly number[], length?: number): Tensor[];
}
