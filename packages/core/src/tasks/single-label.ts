import * as tf from '@tensorflow/tfjs-core';
import { softmaxCrossEntropy } from '@hypetune/ops';
import { z } from 'zod';
import type { Dataset } from '../batch.js';
import { HypetuneError, show } from '../errors.js';
import { symmetricDivergence } from '../math/divergence.js';
import { namedMetric } from '../metrics/named-metrics.js';
import { complete, type Given } from '../schema.js';
import { checkPerRow, checkUnmixed, fromSigmoid, fromSoftmax, perRow } from './output.js';
import { argMax, softmax } from './scores.js';
import {
  checkOutputs,
  labelName,
  type Label,
  type LabelBatch,
  labelNames,
  type LossFunction,
  type Task,
} from './task.js';

/** Options of a task of one class a row. */
export const singleLabelSettings = {
  labels: labelNames,
  classWeights: z
    .union([z.literal('balanced'), z.array(z.number().min(0)).readonly()])
    .optional()
    .describe(
      'what a row of each class weighs in the loss, in the order of the classes; balanced: rows / (classes * rows of the class), of the training rows (King and Zeng, 2001); 1 each unless given',
    ),
  labelSmoothing: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe('share of each label that is spread over all classes (Szegedy et al., 2016)'),
};
export type SingleLabelOptions = Given<typeof singleLabelSettings>;

/** One class a row: softmax and `-sum_c w_c y_c log p_c`, y one-hot (or mixed) and smoothed. A label is the index of a class. */
export function singleLabel(options: SingleLabelOptions = {}): Task {
  const name = 'classification';
  const { labels, classWeights, labelSmoothing } = complete('singleLabel', singleLabelSettings, options);
  const weights = classWeights === 'balanced' ? undefined : classWeights;
  const loss: LossFunction = (logits, targets) => {
    const classes = logits.shape[1]!;
    const smooth =
      labelSmoothing === 0 ? targets : tf.add(tf.mul(targets, 1 - labelSmoothing), labelSmoothing / classes);
    const weighted = weights ? tf.mul(smooth, tf.tensor1d([...weights])) : smooth;
    return softmaxCrossEntropy(weighted as tf.Tensor2D, logits as tf.Tensor2D);
  };
  const names = [
    ...(classWeights ? ['classWeights'] : []),
    ...(labelSmoothing > 0 ? ['labelSmoothing'] : []),
  ];
  return {
    name,
    kind: 'class',
    labels,
    problemType: 'single_label_classification',
    metrics: [namedMetric('accuracy')],
    outputs: (model) => {
      checkUnmixed(name, model);
      const units = checkPerRow(name, model);
      if (model.ending === 'sigmoid' && units > 1)
        throw new HypetuneError(
          `${name}: the model ends in ${units} sigmoids, which are ${units} answers of yes or no; take multiLabel(), or end it in logits.`,
        );
      const outputs = checkOutputs(name, labels, Math.max(2, units));
      if (weights && weights.length !== outputs)
        throw new HypetuneError(
          `${name}: classWeights must hold a number for each of ${outputs} classes, got ${weights.length}.`,
        );
      return outputs;
    },
    logits: (output, { ending }) => {
      const rows = perRow(output);
      if (ending === 'softmax') return fromSoftmax(rows);
      if (rows.shape[1] !== 1) return rows;
      // One output z tells class 1 from class 0: softmax of [0, z] is [1 - sigmoid z, sigmoid z].
      const z = ending === 'sigmoid' ? fromSigmoid(rows) : rows;
      return tf.concat([tf.zerosLike(z), z], 1);
    },
    collate: (rows, batch) => {
      const values = new Float32Array(rows.length * batch.outputs);
      rows.forEach((label, row) => {
        values[row * batch.outputs + checkClass(label, batch.row(row), batch)] = 1;
      });
      return { values, shape: [rows.length, batch.outputs], weights: rows.map(() => 1) };
    },
    loss,
    ...(names.length > 0 && { lossOptions: { of: loss, names } }),
    divergence: (p, q, _, between = symmetricDivergence) => between(p, q) as tf.Tensor1D,
    predict: (logits) => ({ value: argMax(logits), scores: softmax(logits), logits }),
    say: ({ value, scores }) => ({
      said: { label: labelName(labels, value as number) },
      probabilities: Array.from(scores, (score, index) => [labelName(labels, index), score] as const),
    }),
    ...(classWeights === 'balanced' && {
      bind: (data: Dataset, outputs: number) => ({
        loss: singleLabel({ ...options, classWeights: balancedWeights(classesOf(data), outputs) }).loss,
      }),
    }),
  };
}

/** The weight of each class, `rows / (classes that occur * rows of the class)`; 1 for a class that does not occur. */
export function balancedWeights(classes: readonly number[], outputs: number): number[] {
  const counts = new Array<number>(outputs).fill(0);
  for (const label of classes) counts[label]! += 1;
  const present = counts.filter((count) => count > 0).length;
  return counts.map((count) => (count > 0 ? classes.length / (present * count) : 1));
}

function classesOf(data: Dataset): number[] {
  return Array.from({ length: data.size }, (_, row) => data.label(row) as number);
}

function checkClass(label: Label, row: number, { outputs }: LabelBatch): number {
  if (typeof label === 'number' && Number.isInteger(label) && label >= 0 && label < outputs) return label;
  throw new HypetuneError(
    `data: row ${row} has label ${show(label)}; a model of ${outputs} classes wants a whole number from 0 to ${outputs - 1}` +
      `${typeof label === 'number' ? '' : ' (of one-hot rows: tf.argMax(labels, -1))'}.`,
  );
}
