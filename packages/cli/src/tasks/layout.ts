import type { TaskName } from '@hypetune/core';
import type { Settings } from '../settings.js';
import type { Labels } from './labels.js';
import { namedColumns, namedLabels, namedRows, readNamed } from './named-task.js';
import { taskName } from './named-tasks.js';
import { labelColumnsOf, problemOf } from './problems.js';
import { type Columns, rowsOf } from './rows.js';
import { readTable, type Table } from './table.js';
import type { Row } from './task.js';

/** How tables of a task are read. */
export interface Layout {
  readonly labels: Labels;
  read(file: string): Promise<Table>;
  columns(table: Table): Columns;
  /** The rows of a table that have a label, read as `labels` unless others are given. */
  rows(table: Table, labels?: Labels): Row[];
}

/** The layout of a task's tables, from what the run was told and the names of its outputs. */
export function layoutOf(settings: Settings, kind: TaskName, names: readonly string[]): Layout {
  const { textColumn, pairColumn, labelColumn, labelColumns, delimiter, encoding } = settings;
  const given = textColumn ?? pairColumn ?? labelColumn ?? labelColumns;
  const name =
    given === undefined && settings.train === undefined ? taskName(settings.task ?? '') : undefined;
  if (name !== undefined)
    return {
      labels: namedLabels(name),
      read: (file) => readNamed(name, file, { delimiter, encoding }),
      columns: (table) => namedColumns(name, table),
      rows: (table, labels) => namedRows(name, table, labels),
    };
  const problem = problemOf(kind);
  const label = labelColumnsOf(settings, kind);
  const columns = { text: textColumn ?? problem.text, pair: pairColumn, label, words: problem.words };
  const labels = problem.labels(names, label, settings);
  return {
    labels,
    read: (file) => readTable(file, { delimiter, encoding }),
    columns: () => columns,
    rows: (table, others = labels) => rowsOf(table, columns, others),
  };
}
