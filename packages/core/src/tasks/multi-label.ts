import * as tf from '@tensorflow/tfjs-core';
import { softmaxCrossEntropy } from '@hypetune/ops';
import { z } from 'zod';
import { HypetuneError, show } from '../errors.js';
import { symmetricDivergence } from '../math/divergence.js';
import { namedMetric } from '../metrics/named-metrics.js';
import { complete, type Given } from '../schema.js';
import { checkPerRow, checkUnmixed, fromSigmoid, perRow } from './output.js';
import { sigmoid } from './scores.js';
import { checkOutputs, labelName, labelNames, type Label, type Task } from './task.js';

/** Options of a task of any number of labels a row. */
export const multiLabelSettings = {
  labels: labelNames,
  threshold: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.5)
    .describe('probability from which a label counts as predicted'),
};
export type MultiLabelOptions = Given<typeof multiLabelSettings>;

/**
 * Any number of labels a row: a sigmoid each, and the mean over the labels of `-(y log p + (1 - y) log(1 - p))`. A label is a
 * list of numbers from 0 (no) to 1 (yes), one for each output.
 */
export function multiLabel(options: MultiLabelOptions = {}): Task {
  const name = 'multi-label';
  const { labels, threshold } = complete('multiLabel', multiLabelSettings, options);
  return {
    name,
    kind: 'indicators',
    labels,
    problemType: 'multi_label_classification',
    metrics: [namedMetric('micro_f1'), namedMetric('macro_f1'), namedMetric('exact_match')],
    outputs: (model) => {
      checkUnmixed(name, model);
      if (model.ending === 'softmax')
        throw new HypetuneError(
          `${name}: the model ends in a softmax, whose outputs exclude each other; end it in logits or sigmoids.`,
        );
      return checkOutputs(name, labels, checkPerRow(name, model));
    },
    logits: (output, { ending }) => {
      const rows = perRow(output);
      return ending === 'sigmoid' ? fromSigmoid(rows) : rows;
    },
    collate: (rows, { outputs, row }) => {
      const values = new Float32Array(rows.length * outputs);
      rows.forEach((label, place) => {
        values.set(checkIndicators(label, row(place), outputs), place * outputs);
      });
      return { values, shape: [rows.length, outputs], weights: rows.map(() => 1) };
    },
    loss: (logits, targets) => {
      const entropies = softmaxCrossEntropy(
        tf.reshape(tf.stack([targets, tf.sub(1, targets)], -1), [-1, 2]) as tf.Tensor2D,
        tf.reshape(yesOrNo(logits), [-1, 2]) as tf.Tensor2D,
      );
      return tf.mean(tf.reshape(entropies, logits.shape), -1);
    },
    divergence: (p, q, _, between = symmetricDivergence) => tf.sum(between(yesOrNo(p), yesOrNo(q)), -1),
    predict: (logits) => {
      const scores = sigmoid(logits);
      return { value: Array.from(scores, (score) => (score >= threshold ? 1 : 0)), scores, logits };
    },
    say: ({ value, scores }) => ({
      said: {
        labels: (value as readonly number[]).flatMap((yes, index) =>
          yes === 1 ? [labelName(labels, index)] : [],
        ),
      },
      probabilities: Array.from(scores, (score, index) => [labelName(labels, index), score] as const),
    }),
  };
}

/** The distribution over yes and no of each label, as logits `[rows, labels, 2]`: the softmax of `[z, 0]` is `[sigmoid z, 1 - sigmoid z]`. */
function yesOrNo(logits: tf.Tensor): tf.Tensor {
  return tf.stack([logits, tf.zerosLike(logits)], -1);
}

function checkIndicators(label: Label, row: number, outputs: number): readonly number[] {
  const values = typeof label === 'number' ? [label] : label;
  if (
    values instanceof Array &&
    values.length === outputs &&
    values.every((value) => value >= 0 && value <= 1)
  )
    return values;
  throw new HypetuneError(
    `data: row ${row} has label ${show(label)}; a model of ${outputs} labels wants a list of ${outputs} numbers from 0 to 1.`,
  );
}
