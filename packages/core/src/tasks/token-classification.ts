import * as tf from '@tensorflow/tfjs-core';
import { softmaxCrossEntropy } from '@hypetune/ops';
import { HypetuneError, show } from '../errors.js';
import { symmetricDivergence } from '../math/divergence.js';
import { isEntityScheme } from '../metrics/entities.js';
import { namedMetric } from '../metrics/named-metrics.js';
import { complete, type Given } from '../schema.js';
import { checkUnmixed, fromSoftmax, print } from './output.js';
import { argMax, softmax } from './scores.js';
import {
  checkOutputs,
  IGNORED,
  labelName,
  labelNames,
  type Label,
  type LabelBatch,
  type Task,
} from './task.js';

/** Options of a task of one class a token. */
export const tokenClassificationSettings = {
  labels: labelNames.describe(
    'names of the classes in the order of the outputs, as O, B-PER, I-PER; entity metrics need them',
  ),
};
export type TokenClassificationOptions = Given<typeof tokenClassificationSettings>;

/**
 * One class a token: `-log p` of each token's class, averaged over the tokens that count. A label is a list of the index of a
 * class for each token of the row, `IGNORED` (-100) where none counts; tokens beyond the list are ignored. A row weighs as
 * many as it has tokens that count, so that a batch's mean is the mean over its tokens, as in `transformers`.
 */
export function tokenClassification(options: TokenClassificationOptions = {}): Task {
  const name = 'token-classification';
  const { labels } = complete('tokenClassification', tokenClassificationSettings, options);
  return {
    name,
    kind: 'tokens',
    labels,
    metrics: labels?.every(isEntityScheme)
      ? [namedMetric('entity_f1'), namedMetric('accuracy')]
      : [namedMetric('accuracy')],
    outputs: (model) => {
      checkUnmixed(name, model);
      const { shape, units, ending } = model;
      if (shape.length !== 3 || units < 2)
        throw new HypetuneError(
          `${name}: the model must have outputs [rows, length, classes], got ${print(shape)}.`,
        );
      if (ending === 'sigmoid')
        throw new HypetuneError(
          `${name}: the model ends in sigmoids, but a token has one class; end it in logits or a softmax.`,
        );
      return checkOutputs(name, labels, units);
    },
    logits: (output, { ending }) => (ending === 'softmax' ? fromSoftmax(output) : output),
    collate: (rows, batch) => {
      const { outputs, length = 0 } = batch;
      const values = new Float32Array(rows.length * length * outputs);
      const weights = rows.map((label, row) => {
        const classes = checkClasses(label, row, batch);
        for (const [token, index] of classes.entries())
          if (index !== IGNORED) values[(row * length + token) * outputs + index] = 1;
        return classes.filter((index) => index !== IGNORED).length;
      });
      return { values, shape: [rows.length, length, outputs], weights };
    },
    loss: (logits, targets) => {
      const classes = logits.shape[2]!;
      const flat = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [-1, classes]) as tf.Tensor2D;
      const entropies = softmaxCrossEntropy(flat(targets), flat(logits));
      const counts = tf.maximum(tf.sum(targets, [1, 2]), SMALLEST);
      return tf.div(tf.sum(tf.reshape(entropies, logits.shape.slice(0, 2)), 1), counts);
    },
    divergence: (p, q, targets, between = symmetricDivergence) => {
      const counted = tf.sum(targets, 2);
      return tf.div(tf.sum(tf.mul(between(p, q), counted), 1), tf.maximum(tf.sum(counted, 1), SMALLEST));
    },
    predict: (logits, outputs) => ({
      value: Array.from({ length: logits.length / outputs }, (_, token) =>
        argMax(logits, token * outputs, outputs),
      ),
      scores: softmax(logits, outputs),
      logits,
    }),
    say: ({ value }) => ({
      said: { labels: (value as readonly number[]).map((index) => labelName(labels, index)) },
      probabilities: [],
    }),
  };
}

/** Stands in for the count of a row without a token that counts. */
const SMALLEST = 1e-6;

function checkClasses(label: Label, place: number, { outputs, length, row }: LabelBatch): readonly number[] {
  const fits = (index: number): boolean =>
    index === IGNORED || (Number.isInteger(index) && index >= 0 && index < outputs);
  if (length === undefined)
    throw new HypetuneError(
      'token-classification: the length of the rows is not known; give the model an input [rows, length].',
    );
  if (label instanceof Array && label.length <= length && label.every(fits)) return label;
  const wanted = `a list of up to ${length} classes, each a whole number from 0 to ${outputs - 1}, or ${IGNORED} to ignore a token`;
  throw new HypetuneError(`data: row ${row(place)} has label ${show(label)}; it must be ${wanted}.`);
}
