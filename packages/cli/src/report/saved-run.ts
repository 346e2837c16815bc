import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ClassReport, classReport, IGNORED, type Label } from '@hypetune/core';
import { PREDICTED, type PredictedRow, readHistory, readRun } from '../run-folder.js';
import { readLines } from '../store/store.js';
import { problemOf } from '../tasks/problems.js';
import type { RunReport, WrongRow } from './html/run-page.js';

/** Rows that a report shows. */
const SHOWN = 25;

/** Everything that a saved run says of itself, for its report. */
export async function savedRunReport(folder: string, title?: string): Promise<RunReport> {
  const record = await readRun(folder);
  const file = join(folder, PREDICTED);
  const rows = existsSync(file) ? await readLines<PredictedRow>(file) : [];
  const { name, kind, labels } = record.task;
  const task = problemOf(kind).task(labels);
  const outputs = Math.max(1, labels.length);
  const predictions = rows.map(({ logits }) => task.predict(Float32Array.from(logits), outputs));
  const nameOf = (index: number): string => labels[index] ?? String(index);
  /** A label or a prediction in words: of several labels those that hold, of tokens those that count. */
  const words = (value: Label, label: Label): string => {
    if (task.kind === 'class') return nameOf(value as number);
    const parts = [value].flat();
    if (task.kind === 'values') return parts.map((part) => part.toFixed(4)).join(', ');
    if (task.kind === 'indicators')
      return parts.flatMap((part, index) => (part >= 0.5 ? [nameOf(index)] : [])).join(', ') || 'none';
    const counted = (value as readonly number[]).filter((_, token) => isCounted(label, token));
    return counted.map(nameOf).join(' ');
  };
  const classes: ClassReport | undefined =
    rows.length === 0
      ? undefined
      : classReport(
          predictions,
          rows.map(({ label }) => label),
          { task, outputs },
        );
  const wrong = rows
    .map((row, place): WrongRow & { readonly right: boolean } => {
      const label = words(row.label, row.label);
      const predicted = words(predictions[place]!.value, row.label);
      return {
        ...{ loss: row.loss, label, predicted },
        right: task.kind !== 'values' && predicted === label,
        text: row.pair === undefined ? row.text : `${row.text} / ${row.pair}`,
      };
    })
    .filter(({ right }) => !right)
    .sort((a, b) => b.loss - a.loss)
    .slice(0, SHOWN);
  const facts: [string, string][] = [
    ['steps', String(record.steps)],
    ['seed', String(record.seed)],
    ['engine', record.engine],
    ...(record.best ? [['best epoch', String(record.best.epoch + 1)] satisfies [string, string]] : []),
    ...(record.stopped === undefined ? [] : [['stopped by', record.stopped] satisfies [string, string]]),
    ['state', record.finished ? 'finished' : 'not finished'],
  ];
  const test = Object.entries(record.testMetrics ?? {}).map(([metric, value]) => [
    `${metric} of the test rows`,
    value,
  ]);
  return {
    ...{ title: title ?? `A run on ${name}`, recipe: record.recipe, facts, classes, wrong },
    metrics: { ...record.metrics, ...(Object.fromEntries(test) as Record<string, number>) },
    ...{ curve: await readHistory(folder), settings: record.config },
  };
}

function isCounted(label: Label, token: number): boolean {
  return ((label as readonly number[])[token] ?? IGNORED) !== IGNORED;
}
