import type { ClassReport, Evaluation } from '@hypetune/core';
import type { TextTask } from '../tasks/task.js';
import { note, type Terminal } from '../terminal.js';
import { table } from './table.js';

/** `accuracy 0.9350, loss 0.2101`. */
export function metricsLine({ metrics, loss }: Pick<Evaluation, 'metrics' | 'loss'>): string {
  const values = Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  return [...values, `loss ${loss.toFixed(4)}`].join(', ');
}

/** Classes (labels, types of entities) that a table shows; of more, those with most rows. */
const SHOWN = 30;

/** A line a class: how much of it was found, and how much of what was predicted was right. */
export function classTable({ classes }: ClassReport): string {
  const largest = new Set([...classes].sort((a, b) => b.support - a.support).slice(0, SHOWN));
  const shown = classes.filter((figures) => largest.has(figures));
  const rows = shown.map(({ name, precision, recall, f1, support, predicted }) => [
    name,
    ...[precision, recall, f1].map((value) => value.toFixed(4)),
    String(support),
    String(predicted),
  ]);
  const more = classes.length > SHOWN ? `\nand ${classes.length - SHOWN} classes with fewer rows` : '';
  return table(['class', 'precision', 'recall', 'f1', 'rows', 'predicted'], rows) + more;
}

/** Says what a task is made of: its rows, and how many of them each class or label has. */
export function noteTask(terminal: Terminal, { name, task, train, evaluation, test }: TextTask): void {
  const measured = test
    ? `${evaluation.length} to choose by, ${test.length} to test on`
    : `${evaluation.length} to measure on`;
  note(terminal, `${name}: ${train.length} rows to learn from, ${measured}`);
  if (!task.labels || task.kind === 'values' || task.kind === 'tokens') return;
  const counts = task.labels.map(() => 0);
  for (const { label } of train)
    if (typeof label === 'number') counts[label]! += 1;
    else for (const [index, yes] of label.entries()) counts[index]! += yes;
  const shown = task.labels.slice(0, SHOWN).map((label, index) => `${label} ${counts[index]!}`);
  const more = task.labels.length > SHOWN ? ` and ${task.labels.length - SHOWN} more` : '';
  note(terminal, `to learn: ${shown.join(', ')}${more}`);
}
