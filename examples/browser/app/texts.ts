import { type Dataset, shuffled } from '@hypetune/core';
import type { Tokenizer } from '@hypetune/models/browser';
import { seedKey } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Row } from './messages.js';

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

/** Sets a tenth of each class aside, at least one row, to measure on. Throws where a class has a single row. */
export function split(rows: readonly Row[]): { labels: string[]; train: Row[]; evaluation: Row[] } {
  const order = shuffled(rows.length, seedKey(0)).map((index) => rows[index]!);
  const labels = [...new Set(rows.map(({ label }) => label))].sort();
  if (labels.length < 2) throw new Error(`There must be two labels at least; all rows have "${labels[0]}".`);
  const [train, evaluation]: [Row[], Row[]] = [[], []];
  for (const label of labels) {
    const own = order.filter((row) => row.label === label);
    if (own.length < 2) throw new Error(`There must be two rows of each label; "${label}" has one.`);
    const aside = Math.ceil(own.length / 10);
    evaluation.push(...own.slice(0, aside));
    train.push(...own.slice(aside));
  }
  return { labels, train, evaluation };
}
