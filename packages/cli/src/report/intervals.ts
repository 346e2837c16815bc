import { type Dataset, type Label, measure, type Prediction, resolveMetrics } from '@hypetune/core';
import { foldIn, seedKey } from '@hypetune/ops';
import type { TextTask } from '../tasks/task.js';

/** From, to. */
export type Interval = readonly [low: number, high: number];

const DRAWS = 1000;
/** Rows drawn altogether, so that large data sets do not take minutes: their intervals are narrow anyway. */
const MOST_ROWS = 4_000_000;
const FEWEST = 200;

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

function outputsOf(predictions: readonly Prediction[], labels: readonly string[] | undefined): number {
  return labels?.length || predictions[0]!.logits.length;
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
