import { checkChoice, HypetuneError } from '../errors.js';
import type { Task } from '../step.js';
import { accuracy, f1, matthews } from './classification.js';
import { pearson, spearman } from './correlation.js';

export type MetricName = 'accuracy' | 'f1' | 'matthews' | 'pearson' | 'spearman';

type Measure = (predictions: readonly number[], labels: readonly number[]) => number;

const measures: Readonly<Record<Task, Readonly<Partial<Record<MetricName, Measure>>>>> = {
  classification: { accuracy, f1, matthews },
  regression: { pearson, spearman },
};

export const METRIC_NAMES: readonly MetricName[] = ['accuracy', 'f1', 'matthews', 'pearson', 'spearman'];

/** What is measured where nothing is asked for: accuracy, or both correlations. */
export function defaultMetrics(task: Task): MetricName[] {
  return task === 'regression' ? ['pearson', 'spearman'] : ['accuracy'];
}

/** Throws unless every name is a metric of this task. */
export function checkMetrics(names: readonly string[], task: Task): void {
  for (const name of names) {
    checkChoice('metrics', 'a metric', name, METRIC_NAMES);
    if (!measures[task][name as MetricName])
      throw new HypetuneError(
        `metrics: '${name}' is not defined for ${task}, which has ${list(Object.keys(measures[task]))}.`,
      );
  }
}

/** The class with the largest logit (the first of equal ones), or the value itself where there is one output. */
export function predictions(logits: readonly ArrayLike<number>[], task: Task): number[] {
  return logits.map((row) => {
    if (task === 'regression') return row[0]!;
    let best = 0;
    for (let k = 1; k < row.length; k += 1) if (row[k]! > row[best]!) best = k;
    return best;
  });
}

/**
 * The named metrics of a whole data set: `logits` holds the model's outputs a row, `labels` the class index or target
 * value of the same row.
 */
export function metricsFor(
  names: readonly MetricName[],
  logits: readonly ArrayLike<number>[],
  labels: readonly number[],
  task: Task,
): Record<string, number> {
  checkMetrics(names, task);
  if (logits.length !== labels.length)
    throw new HypetuneError(`metrics: ${logits.length} predictions for ${labels.length} labels.`);
  if (labels.length === 0) throw new HypetuneError('metrics: there is no row to measure.');
  const outputs = logits[0]!.length;
  if (names.includes('f1') && outputs !== 2)
    throw new HypetuneError(`metrics: 'f1' is of class 1 of two classes; the model has ${outputs} outputs.`);
  const predicted = predictions(logits, task);
  return Object.fromEntries(names.map((name) => [name, measures[task][name]!(predicted, labels)]));
}

function list(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}
