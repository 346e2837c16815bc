import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type ClassReport, classReport } from '@hypetune/core';
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
  const word = (value: unknown): string =>
    task.kind === 'class' ? (labels[value as number] ?? String(value)) : JSON.stringify(value);
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
      const predicted = word(predictions[place]!.value);
      return {
        ...{ loss: row.loss, label: word(row.label), predicted, right: predicted === word(row.label) },
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
