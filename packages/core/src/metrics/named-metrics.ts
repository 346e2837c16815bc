import { HypetuneError, show } from '../errors.js';
import { IGNORED, type Label, type LabelKind, type Prediction } from '../tasks/task.js';
import { accuracy, matthews } from './classification.js';
import { pearson, rocArea, spearman } from './correlation.js';
import {
  average,
  type Average,
  classPairs,
  type ClassCount,
  countClasses,
  f1,
  list,
  precision,
  recall,
} from './counts.js';
import { countEntities } from './entities.js';
import { unknownName } from '../similar.js';
import { isMetric, type Metric, type MetricContext } from './metric.js';

type Compute = Metric['compute'];

/** A metric that is shipped, and the kinds of labels it is defined for. */
interface ShippedMetric extends Metric {
  readonly kinds: readonly string[];
}

/** A shipped metric: what it computes for each kind of label it is defined for. */
function metric(
  name: string,
  by: Readonly<Partial<Record<LabelKind, Compute>>>,
  options: { readonly lowerIsBetter?: true; readonly check?: (context: MetricContext) => void } = {},
): ShippedMetric {
  return {
    name,
    kinds: Object.keys(by),
    greaterIsBetter: !options.lowerIsBetter,
    compute: (predictions, labels, context) => by[context.task.kind]!(predictions, labels, context),
    check: (context) => {
      const { kind, name: task } = context.task;
      if (!by[kind])
        throw new HypetuneError(
          `metrics: '${name}' is not defined for ${task}, which has ${quoted(namesFor(kind))}.`,
        );
      options.check?.(context);
    },
  };
}

const counts: (task: MetricContext, p: readonly Prediction[], l: readonly Label[]) => ClassCount[] = (
  { task, outputs },
  predictions,
  labels,
) => countClasses(task.kind, predictions, labels, outputs);

/** A figure of class 1 of two. */
function ofClassOne(name: string, measure: (count: ClassCount) => number): ShippedMetric {
  return metric(
    name,
    { class: (p, l, context) => measure(counts(context, p, l)[1]!) },
    {
      check: ({ outputs }) => {
        if (outputs !== 2)
          throw new HypetuneError(
            `metrics: '${name}' is of class 1 of two classes; the model has ${outputs}; take macro_${name}, micro_${name} or weighted_${name}.`,
          );
      },
    },
  );
}

function averaged(kind: Average, name: string, measure: (count: ClassCount) => number): ShippedMetric {
  const compute: Compute = (p, l, context) =>
    average(kind, measure, counts(context, p, l), context.task.kind !== 'indicators');
  return metric(`${kind}_${name}`, { class: compute, indicators: compute, tokens: compute });
}

/** A figure of the entities of all types together. */
function ofEntities(name: string, measure: (count: ClassCount) => number): ShippedMetric {
  return metric(
    `entity_${name}`,
    {
      tokens: (p, l, { task }) =>
        average('micro', measure, [...countEntities(p, l, task.labels!).values()], true),
    },
    {
      check: ({ task }) => {
        if (task.labels?.some((label) => /^[BIES](-|$)/.test(label))) return;
        throw new HypetuneError(
          `metrics: 'entity_${name}' needs class names as B-PER, I-PER, O; the task has ${task.labels ? quoted(task.labels) : 'none: tokenClassification({ labels })'}.`,
        );
      },
    },
  );
}

/** The mean over the targets of a measure of predicted and true values. */
function ofTargets(measure: (predicted: readonly number[], values: readonly number[]) => number): Compute {
  return (predictions, labels, { outputs }) => {
    const column = (rows: readonly Label[], target: number): number[] =>
      rows.map((row) => list(row)[target]!);
    const predicted = predictions.map(({ value }) => value);
    return mean(
      Array.from({ length: outputs }, (_, target) =>
        measure(column(predicted, target), column(labels, target)),
      ),
    );
  };
}

const exact: Compute = (predictions, labels, { task }) => {
  // A label between no and yes is there from a half on, as in every other metric.
  const wants = (wanted: number): number => (task.kind === 'indicators' ? Number(wanted >= 0.5) : wanted);
  const rows = labels.flatMap((label, row) => {
    const counted = list(label).map((wanted) => task.kind !== 'tokens' || wanted !== IGNORED);
    // A row without a token that counts is neither right nor wrong.
    if (!counted.includes(true)) return [];
    const value = list(predictions[row]!.value);
    return [Number(list(label).every((wanted, place) => !counted[place] || value[place] === wants(wanted)))];
  });
  return rows.length > 0 ? mean(rows) : 0;
};

const area: Compute = (predictions, labels, { task, outputs }) => {
  const columns = task.kind === 'class' ? [1] : Array.from({ length: outputs }, (_, index) => index);
  return mean(
    columns.map((column) =>
      rocArea(
        predictions.map(({ logits }) => logits[column]! - (task.kind === 'class' ? logits[0]! : 0)),
        labels.map((label) => (typeof label === 'number' ? label === 1 : label[column]! >= 0.5)),
      ),
    ),
  );
};

const agreement =
  (measure: typeof accuracy): Compute =>
  (predictions, labels) =>
    measure(classPairs(predictions, labels));

type ErrorName = 'mse' | 'rmse' | 'mae';
type Figure = 'f1' | 'precision' | 'recall';

const errors: Readonly<Record<ErrorName, Compute>> = {
  mse: ofTargets((p, l) => mean(p.map((value, row) => (value - l[row]!) ** 2))),
  rmse: ofTargets((p, l) => Math.sqrt(mean(p.map((value, row) => (value - l[row]!) ** 2)))),
  mae: ofTargets((p, l) => mean(p.map((value, row) => Math.abs(value - l[row]!)))),
};

const figures: Readonly<Record<Figure, (count: ClassCount) => number>> = { f1, precision, recall };

/** Names of the shipped metrics. */
export type MetricName =
  | 'accuracy'
  | 'matthews'
  | 'exact_match'
  | 'roc_auc'
  | 'pearson'
  | 'spearman'
  | ErrorName
  | Figure
  | `${Average | 'entity'}_${Figure}`;

const METRICS: readonly ShippedMetric[] = [
  metric('accuracy', { class: agreement(accuracy), tokens: agreement(accuracy) }),
  ...Object.entries(figures).map(([name, measure]) => ofClassOne(name, measure)),
  metric('matthews', { class: agreement(matthews), tokens: agreement(matthews) }),
  ...Object.entries(figures).flatMap(([name, measure]) =>
    (['macro', 'micro', 'weighted'] as const).map((kind) => averaged(kind, name, measure)),
  ),
  metric('exact_match', { class: exact, indicators: exact, tokens: exact }),
  metric(
    'roc_auc',
    { class: area, indicators: area },
    {
      check: ({ task, outputs }) => {
        if (task.kind === 'class' && outputs !== 2)
          throw new HypetuneError(
            `metrics: 'roc_auc' is of class 1 of two classes; the model has ${outputs}.`,
          );
      },
    },
  ),
  ...Object.entries(figures).map(([name, measure]) => ofEntities(name, measure)),
  metric('pearson', { values: ofTargets(pearson) }),
  metric('spearman', { values: ofTargets(spearman) }),
  ...Object.entries(errors).map(([name, compute]) =>
    metric(name, { values: compute }, { lowerIsBetter: true }),
  ),
];

export const METRIC_NAMES: readonly MetricName[] = METRICS.map(({ name }) => name as MetricName);

/** The shipped metric of that name. */
export function namedMetric(name: string): Metric {
  const found = METRICS.find((known) => known.name === name);
  if (found) return found;
  throw new HypetuneError(`metrics: there is no metric ${unknownName(name, METRIC_NAMES, 'there are')}`);
}

/** The metrics given, by name or as objects. */
export function resolveMetrics(metrics: readonly (string | Metric)[]): Metric[] {
  return metrics.map((metric) => {
    if (typeof metric === 'string') return namedMetric(metric);
    if (isMetric(metric)) return metric;
    throw new HypetuneError(
      `metrics: a metric must be a name or { name, greaterIsBetter, compute }, got ${show(metric)}.`,
    );
  });
}

/** Throws unless each of the metrics can measure the task. */
export function checkMetrics(metrics: readonly Metric[], context: MetricContext): void {
  for (const metric of metrics) metric.check?.(context);
}

/** The value of each metric, by name, over a whole data set. */
export function measure(
  metrics: readonly Metric[],
  predictions: readonly Prediction[],
  labels: readonly Label[],
  context: MetricContext,
): Record<string, number> {
  if (predictions.length !== labels.length)
    throw new HypetuneError(`metrics: ${predictions.length} predictions for ${labels.length} labels.`);
  if (labels.length === 0) throw new HypetuneError('metrics: there is no row to measure.');
  checkMetrics(metrics, context);
  return Object.fromEntries(
    metrics.map((metric) => {
      const value: unknown = metric.compute(predictions, labels, context);
      if (typeof value === 'number') return [metric.name, value];
      const got = value instanceof Promise ? 'a Promise' : show(value);
      throw new HypetuneError(`metrics: compute of '${metric.name}' must return a number, got ${got}.`);
    }),
  );
}

function namesFor(kind: LabelKind): string[] {
  return METRICS.filter(({ kinds }) => kinds.includes(kind)).map(({ name }) => name);
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
