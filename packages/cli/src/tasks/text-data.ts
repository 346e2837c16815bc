import { type Dataset, IGNORED, type Label } from '@hypetune/core';
import * as tf from '@tensorflow/tfjs-core';
import type { Row, TextRow } from './task.js';

/** A row as the model reads it. */
export interface EncodedText {
  readonly inputIds: readonly number[];
  /** 0 for the first text, 1 for the second of a pair. */
  readonly tokenTypeIds: readonly number[];
  /** Of a row of words: the place of the word that each token is of; -1 for special tokens. */
  readonly words?: readonly number[];
}

/** Turns a row into tokens, cut to a length. */
export type Encode = (row: TextRow, length: number) => EncodedText;

export interface TextDataOptions {
  readonly encode: Encode;
  /** The rows in one token more than `maxLength` at most, where they are known already. */
  readonly encoded?: readonly EncodedText[] | undefined;
  /** Token that fills a row up. */
  readonly padding: number;
  /** What rows are cut to; batches are never padded beyond. */
  readonly maxLength: number;
  /** Which end of a row of texts is filled up; default right. Rows of words are filled up at the right, as their labels are. */
  readonly paddingSide?: 'left' | 'right';
}

/** Rows of text in tokens. */
export interface TextData extends Dataset {
  /** How many rows were cut. */
  readonly cut: number;
  /** The first token of each word of a row; undefined for a word that was cut off. */
  wordTokens(index: number): (number | undefined)[];
}

/**
 * Rows of text as a data set, tokenized once at the start and padded batch by batch. The inputs are those of the models
 * of `@hypetune/models`: token ids, attention mask and token types, each int32 `[rows, length]`. A word's label is that of its
 * first token, its other tokens and the special ones are ignored.
 */
export function textData(rows: readonly (Row | TextRow)[], options: TextDataOptions): TextData {
  const { encode, padding, maxLength, paddingSide = 'right' } = options;
  let cut = 0;
  const encoded = rows.map((row, index) => {
    // One token more tells whether the row has to be cut.
    const longer = options.encoded?.[index] ?? encode(row, maxLength + 1);
    if (longer.inputIds.length <= maxLength) return longer;
    cut += 1;
    return encode(row, maxLength);
  });
  const wordTokens = (index: number): (number | undefined)[] =>
    (rows[index]!.words ?? []).map((_, word) => {
      const token = encoded[index]!.words!.indexOf(word);
      return token < 0 ? undefined : token;
    });
  const labelOf = (index: number): Label => {
    const row = rows[index]! as Partial<Row>;
    const { label = 0 } = row;
    if (!row.words) return label;
    const labels = encoded[index]!.inputIds.map(() => IGNORED);
    for (const [word, token] of wordTokens(index).entries())
      if (token !== undefined) labels[token] = (label as readonly number[])[word]!;
    return labels;
  };
  return {
    cut,
    wordTokens,
    size: rows.length,
    label: labelOf,
    length: (index) => encoded[index]!.inputIds.length,
    inputs: (indices, length = Math.max(...indices.map((index) => encoded[index]!.inputIds.length))) => {
      const width = Math.min(length, maxLength);
      const ids = new Int32Array(indices.length * width).fill(padding);
      const mask = new Int32Array(indices.length * width);
      const types = new Int32Array(indices.length * width);
      for (const [row, index] of indices.entries()) {
        const { inputIds, tokenTypeIds } = encoded[index]!;
        const filled = paddingSide === 'left' && !rows[index]!.words ? width - inputIds.length : 0;
        const begin = row * width + filled;
        ids.set(inputIds, begin);
        types.set(tokenTypeIds, begin);
        mask.fill(1, begin, begin + inputIds.length);
      }
      return [ids, mask, types].map((values) => tf.tensor2d(values, [indices.length, width], 'int32'));
    },
  };
}
