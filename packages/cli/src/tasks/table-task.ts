import { HypetuneError, type MetricName, regression as values, singleLabel } from '@hypetune/core';
import { firstRows } from './fixed-order.js';
import { classesIn, classLabels, type Labels, valueLabels } from './labels.js';
import { type Columns, rowsOf } from './rows.js';
import { columnOf, readTable, type Table } from './table.js';
import type { TextTask } from './task.js';

/** A task of the user's own: tables with a header and a row an example. */
export interface TableTaskOptions {
  readonly train: string;
  /** Rows to measure on; without it a tenth of the training rows is set aside. */
  readonly validation?: string | undefined;
  /** Default `text`. */
  readonly textColumn?: string | undefined;
  readonly pairColumn?: string | undefined;
  /** Default `label`. */
  readonly labelColumn?: string | undefined;
  /** Class names in the order of the model's outputs (default: those in the training rows, sorted). */
  readonly labels?: readonly string[] | undefined;
  /** Labels are target values, not classes. */
  readonly regression?: boolean | undefined;
}

const HELD_OUT = 0.1;

export async function tableTask(options: TableTaskOptions): Promise<TextTask> {
  const { textColumn = 'text', pairColumn, labelColumn = 'label', regression = false } = options;
  const columns: Columns = { text: textColumn, pair: pairColumn, label: labelColumn };
  const trainTable = await readTable(options.train);
  const labels = labelsOf(trainTable, labelColumn, options);
  const learned = regression ? values() : singleLabel({ labels: labels.names });
  const task = {
    name: options.train,
    task: learned,
    metrics: learned.metrics.map(({ name }) => name as MetricName),
  };
  const rows = rowsOf(trainTable, columns, labels);
  if (options.validation !== undefined) {
    const evaluation = rowsOf(await readTable(options.validation), columns, labels);
    return { ...task, train: rows, evaluation };
  }
  const held = Math.max(1, Math.round(rows.length * HELD_OUT));
  if (rows.length < 2)
    throw new HypetuneError(`${options.train}: one row is too few to learn from and to measure on.`);
  const shuffled = firstRows(rows);
  return { ...task, train: shuffled.slice(held), evaluation: shuffled.slice(0, held) };
}

function labelsOf(table: Table, column: string, { labels, regression }: TableTaskOptions): Labels {
  if (regression) return valueLabels();
  if (labels) return classLabels(labels);
  const place = columnOf(table, column, 'label column');
  const found = classesIn(table.rows.map(({ cells }) => cells[place]!));
  if (found.names.length >= 2) return found;
  throw new HypetuneError(
    `${table.file}: every label is '${found.names[0]!}'; a classification needs two classes (or say --regression).`,
  );
}
