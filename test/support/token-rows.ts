import type { Dataset } from '@hypetune/core';
import * as tf from '@tensorflow/tfjs-core';

/** Rows of tokens of several lengths for the small BERT of the tests, padded as they are asked for. */
export function tokenRows(size: number): Dataset {
  const lengthOf = (row: number): number => 3 + ((row * 5) % 8);
  return {
    size,
    label: (row) => row % 2,
    length: lengthOf,
    inputs: (indices, padded = 10) => {
      const fill = (value: (row: number, place: number) => number): tf.Tensor =>
        tf.tensor2d(
          Int32Array.from(indices.flatMap((row) => Array.from({ length: padded }, (_, i) => value(row, i)))),
          [indices.length, padded],
          'int32',
        );
      const real = (row: number, place: number): number => Number(place < lengthOf(row));
      return [fill((row, i) => real(row, i) * ((row * 7 + i * 3) % 19)), fill(real), fill(() => 0)];
    },
  };
}
