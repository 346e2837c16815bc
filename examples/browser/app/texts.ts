import type { Dataset } from '@hypetune/core';
import type { Tokenizer } from '@hypetune/models/browser';
import * as tf from '@tensorflow/tfjs-core';

/** Texts as the trainer and the models of `@hypetune/models` read them; without labels, to predict. */
export function texts(
  tokenizer: Tokenizer,
  maxLength: number,
  rows: readonly { readonly text: string; readonly label?: string }[],
  labels: readonly string[],
): Dataset {
  const encoded = rows.map(({ text }) => tokenizer.encode([text], { maxLength })[0]!);
  return {
    size: rows.length,
    label: (index) => labels.indexOf(rows[index]!.label ?? labels[0]!),
    length: (index) => encoded[index]!.inputIds.length,
    inputs: (indices, length = Math.max(...indices.map((index) => encoded[index]!.inputIds.length))) => {
      const filled = (values: (index: number) => readonly number[], filler: number): tf.Tensor =>
        tf.tensor2d(
          indices.map((index) => Array.from({ length }, (_, i) => values(index)[i] ?? filler)),
          [indices.length, length],
          'int32',
        );
      return [
        filled((index) => encoded[index]!.inputIds, tokenizer.padId),
        filled((index) => encoded[index]!.inputIds.map(() => 1), 0),
        filled((index) => encoded[index]!.tokenTypeIds, 0),
      ];
    },
  };
}
