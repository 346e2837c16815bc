import type { Dataset } from '@hypetune/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Row } from './task.js';

/** A row as the model reads it. */
export interface EncodedText {
  readonly inputIds: readonly number[];
  /** 0 for the first text, 1 for the second of a pair. */
  readonly tokenTypeIds: readonly number[];
}

/** Turns a text, or a pair of them, into tokens, cut to a length. */
export type Encode = (text: string, pair: string | undefined) => EncodedText;

export interface TextDataOptions {
  readonly encode: Encode;
  /** The rows in tokens, where they are known already. */
  readonly encoded?: readonly EncodedText[];
  /** Token that fills a row up. */
  readonly padding: number;
  /** What `encode` cuts rows to; batches are never padded beyond. */
  readonly maxLength: number;
}

/**
 * Rows of text as a data set, tokenized once at the start and padded batch by batch. The inputs are those of the models
 * of `@hypetune/models`: token ids, attention mask and token types, each int32 `[rows, length]`.
 */
export function textData(
  rows: readonly Omit<Row, 'label'>[] | readonly Row[],
  options: TextDataOptions,
): Dataset {
  const { encode, padding, maxLength } = options;
  const encoded = options.encoded ?? rows.map(({ text, pair }) => encode(text, pair));
  return {
    size: rows.length,
    label: (index) => (rows[index] as Partial<Row>).label ?? 0,
    length: (index) => encoded[index]!.inputIds.length,
    inputs: (indices, length = Math.max(...indices.map((index) => encoded[index]!.inputIds.length))) => {
      const width = Math.min(length, maxLength);
      const ids = new Int32Array(indices.length * width).fill(padding);
      const mask = new Int32Array(indices.length * width);
      const types = new Int32Array(indices.length * width);
      for (const [row, index] of indices.entries()) {
        const { inputIds, tokenTypeIds } = encoded[index]!;
        ids.set(inputIds, row * width);
        types.set(tokenTypeIds, row * width);
        mask.fill(1, row * width, row * width + inputIds.length);
      }
      return [ids, mask, types].map((values) => tf.tensor2d(values, [indices.length, width], 'int32'));
    },
  };
}
