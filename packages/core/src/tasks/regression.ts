import { z } from 'zod';
import { HypetuneError, show } from '../errors.js';
import { squaredDistance } from '../math/divergence.js';
import { namedMetric } from '../metrics/named-metrics.js';
import { complete, type Given } from '../schema.js';
import { checkPerRow, perRow } from './output.js';
import { checkOutputs, type Label, type Task } from './task.js';

/** Options of a task of values. */
export const regressionSettings = {
  targets: z
    .union([z.int().min(1), z.array(z.string()).readonly()])
    .optional()
    .describe('number or names of the values a row has; as many as the model has outputs unless given'),
};
export type RegressionOptions = Given<typeof regressionSettings>;

/** Values a row: the mean squared error over them. A label is a number, or a list of one number a target. */
export function regression(options: RegressionOptions = {}): Task {
  const name = 'regression';
  const { targets } = complete('regression', regressionSettings, options);
  const labels = typeof targets === 'number' ? undefined : targets;
  return {
    name,
    kind: 'values',
    labels,
    problemType: 'regression',
    metrics: [namedMetric('pearson'), namedMetric('spearman')],
    outputs: (model) => {
      const units = checkOutputs(name, labels, checkPerRow(name, model));
      if (typeof targets === 'number' && targets !== units)
        throw new HypetuneError(`${name}: targets is ${targets} but the model has ${units} outputs.`);
      return units;
    },
    logits: perRow,
    collate: (rows, { outputs, row }) => {
      const values = new Float32Array(rows.length * outputs);
      rows.forEach((label, place) => {
        values.set(checkValues(label, row(place), outputs), place * outputs);
      });
      return { values, shape: [rows.length, outputs], weights: rows.map(() => 1) };
    },
    loss: squaredDistance,
    divergence: (p, q) => squaredDistance(p, q),
    predict: (logits) => ({
      value: logits.length === 1 ? logits[0]! : Array.from(logits),
      scores: logits,
      logits,
    }),
    say: ({ logits }) => ({
      said: Object.fromEntries(
        Array.from(logits, (value, index) => [
          labels?.[index] ?? (logits.length === 1 ? 'value' : `value_${index}`),
          value,
        ]),
      ),
      probabilities: [],
    }),
  };
}

function checkValues(label: Label, row: number, outputs: number): readonly number[] {
  const values = typeof label === 'number' ? [label] : label;
  if (values instanceof Array && values.length === outputs && values.every(Number.isFinite)) return values;
  throw new HypetuneError(
    `data: row ${row} has label ${show(label)}; a model of ${outputs} output${outputs > 1 ? `s wants ${outputs} numbers` : ' wants a number'}.`,
  );
}
