import {
  type Dataset,
  type Label,
  measure,
  METRIC_NAMES,
  type Prediction,
  resolveMetrics,
  resolveTask,
  TASK_NAMES,
} from '@hypetune/core';
import { foldIn, seedKey } from '@hypetune/ops';
import { jackknife } from '@hypetune/statistics';
import { measuredOf, type PredictedLine, type StoredRecord } from '../store/record.js';
import type { TextTask } from '../tasks/task.js';

/** From, to. */
export type Interval = readonly [low: number, high: number];

const DRAWS = 1000;
/** Rows drawn altogether, so that large data sets do not take minutes: their intervals are narrow anyway. */
const MOST_ROWS = 4_000_000;
const FEWEST = 200;
/** Groups of rows that are left out in turn, and rows measured altogether for it. */
const GROUPS = { most: 200, fewest: 40, rows: 400_000 };

/**
 * For each metric of a task between which values 95 of 100 other draws of as many rows would lie: the percentile bootstrap (Efron,
 * 1979) over rows, drawn by a fixed seed. It says nothing of other seeds of the training.
 */
export function intervalsOf(
  predictions: readonly Prediction[],
  data: Pick<Dataset, 'label'>,
  { task, metrics }: Pick<TextTask, 'task' | 'metrics'>,
): Record<string, Interval> {
  const labels = predictions.map((_, row) => data.label(row));
  return bootstrap(predictions, labels, (drawn, wanted) =>
    measure(resolveMetrics(metrics), drawn, wanted, { task, outputs: outputsOf(predictions, task.labels) }),
  );
}

/**
 * What each row measured on, or each group of rows, makes of a metric of a stored run. Undefined where the logits that are stored do not
 * give the figure that is: for a metric of a user, or a task that predicts in a way of its own.
 */
export function rowValues(
  lines: readonly PredictedLine[],
  record: StoredRecord,
  metric: string,
): readonly number[] | undefined {
  const { kind, labels } = record.identity.task;
  const figure = measuredOf(record)?.metrics[metric];
  const shipped = TASK_NAMES.map((name) => resolveTask(name)).find((task) => task.kind === kind);
  if (lines.length < 2 || figure === undefined || !shipped) return undefined;
  if (!(METRIC_NAMES as readonly string[]).includes(metric)) return undefined;
  const outputs = outputsOf(lines, labels);
  const measured = resolveMetrics([metric]);
  const task = { ...shipped, labels };
  const predictions = lines.map(({ logits }) => task.predict(Float32Array.from(logits), outputs));
  const of = (rows: readonly number[]): number =>
    measure(
      measured,
      rows.map((row) => predictions[row]!),
      rows.map((row) => lines[row]!.label as Label),
      { task, outputs },
    )[metric]!;
  if (!(Math.abs(of(lines.map((_, row) => row)) - figure) < 1e-6)) return undefined;
  const { most, fewest, rows } = GROUPS;
  const groups = Math.min(most, Math.max(fewest, Math.floor(rows / lines.length)));
  const values = jackknife(lines.length, of, { groups });
  return values.every(Number.isFinite) ? values : undefined;
}

function outputsOf(
  rows: readonly { readonly logits: ArrayLike<number> }[],
  labels: readonly string[] | undefined,
): number {
  return labels?.length || rows[0]!.logits.length;
}

/** The percentile bootstrap of several figures at once. */
export function bootstrap(
  predictions: readonly Prediction[],
  labels: readonly Label[],
  figures: (predictions: readonly Prediction[], labels: readonly Label[]) => Readonly<Record<string, number>>,
): Record<string, Interval> {
  const { length } = predictions;
  const draws = Math.min(DRAWS, Math.max(FEWEST, Math.floor(MOST_ROWS / length)));
  const key = foldIn(seedKey(0), 'bootstrap of rows');
  const values = new Map<string, number[]>();
  for (let draw = 0; draw < draws; draw++) {
    const ofDraw = foldIn(key, draw);
    const rows = Array.from({ length }, (_, place) => foldIn(ofDraw, place)[0] % length);
    const figure = figures(
      rows.map((row) => predictions[row]!),
      rows.map((row) => labels[row]!),
    );
    for (const [name, value] of Object.entries(figure))
      if (Number.isFinite(value)) values.set(name, [...(values.get(name) ?? []), value]);
  }
  return Object.fromEntries(
    [...values].map(([name, all]) => {
      const sorted = all.sort((a, b) => a - b);
      const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))]!;
      return [name, [at(0.025), at(0.975)]];
    }),
  );
}
