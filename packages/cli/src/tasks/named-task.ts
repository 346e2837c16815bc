import { HypetuneError, regression, singleLabel, type Task } from '@hypetune/core';
import { isMissing } from './cells.js';
import { classLabels, type Labels, valueLabels } from './labels.js';
import { NAMED_TASKS, type NamedTask } from './named-tasks.js';
import { type Columns, rowsOf } from './rows.js';
import { filesCalled, folderCalled, type Split } from './split-files.js';
import { columnOf, endingOf, readTable, type Table, type TableOptions } from './table.js';
import type { Row, TextTask } from './task.js';

/** The classes of a task in the order of its outputs; none for values. */
export function classNames(name: string): readonly string[] {
  return Object.keys(NAMED_TASKS[name]!.classes);
}

/** How the label cells of a task are read. */
export function namedLabels(name: string): Labels {
  const names = classNames(name);
  if (names.length === 0) return valueLabels(0, 5);
  const { classes } = NAMED_TASKS[name]!;
  const byCell = new Map(
    names.flatMap((label) => [label, ...classes[label]!].map((cell) => [cell, label] as const)),
  );
  const labels = classLabels(names);
  return {
    names,
    read: ([cell], place) => {
      const text = String((cell ?? '') as string | number);
      return labels.read([byCell.get(text) ?? byCell.get(text.toLowerCase()) ?? cell], place);
    },
  };
}

/** What a table's form is where it is not the usual one. */
type Reading = Pick<TableOptions, 'delimiter' | 'encoding'>;

/** Reads a table of a task, one of its own files or one that looks like them. */
export async function readNamed(
  name: string,
  file: string,
  { delimiter, encoding }: Reading = {},
): Promise<Table> {
  const { headless, skipBroken, list } = NAMED_TASKS[name]!;
  if (headless && endingOf(file) === '.tsv')
    return readTable(file, { header: false, columns: headless.count, delimiter, encoding });
  return readTable(file, { skipBroken, list, delimiter, encoding });
}

/** Where the columns of a task stand in a table. */
export function namedColumns(name: string, table: Table): Columns {
  const { columns, headless } = NAMED_TASKS[name]!;
  if (headless && table.header === undefined) return headless;
  const named = (names: readonly string[]): string =>
    names.find((column) => table.header?.includes(column)) ?? names[0]!;
  return {
    text: named(columns.text),
    label: named(columns.label),
    ...(columns.pair && { pair: named(columns.pair) }),
  };
}

/** What stands in the place of a label where people did not agree, or where it is secret. */
const UNLABELLED = ['-', '-1'];

/** The rows of a task's table that have a label. Throws where none has. */
export function namedRows(name: string, table: Table, labels: Labels = namedLabels(name)): Row[] {
  const columns = namedColumns(name, table);
  const place = columnOf(table, columns.label as string | number, 'label column');
  const rows = table.rows.filter(({ cells }) => {
    const cell = cells[place];
    return isMissing(cell) || !UNLABELLED.includes(String(cell as string | number).trim());
  });
  if (rows.length === 0)
    throw new HypetuneError(`${table.file}: no row has a label; its labels are not published.`);
  return rowsOf({ ...table, rows }, columns, labels);
}

/** The rows of a split, from the task's folder or one that holds it. Throws where it has none. */
export async function splitRows(
  name: string,
  folder: string,
  split: Split,
  reading: Reading = {},
): Promise<Row[]> {
  const task = NAMED_TASKS[name]!;
  const home = await folderCalled(folder, task.folders);
  const files = await filesCalled(home, task.splits[split]);
  if (files.length === 0) {
    const whole = task.whole && (await wholeTable(name, home, task.whole, task.splits[split], reading));
    if (whole) return namedRows(name, whole);
    throw new HypetuneError(missing(name, home, task.splits[split], split));
  }
  const rows: Row[] = [];
  for (const file of files)
    for (const row of namedRows(name, await readNamed(name, file, reading))) rows.push(row);
  return rows;
}

function missing(name: string, home: string, stems: readonly string[], split: Split): string {
  if (stems.length === 0)
    return `--task: '${name}' has no ${split} rows; measure a run on it by hypetune evaluate RUN --task ${name}.`;
  const folders = NAMED_TASKS[name]!.folders.join(' or ');
  return `data: neither a folder ${folders} nor a table ${stems.join(' or ')} (.tsv, .jsonl, .parquet, ...) in ${home}.`;
}

/** The rows of a split in the table of all. */
async function wholeTable(
  name: string,
  home: string,
  { stem, column }: NonNullable<NamedTask['whole']>,
  splits: readonly string[],
  reading: Reading,
): Promise<Table | undefined> {
  const [file] = await filesCalled(home, [stem]);
  if (file === undefined) return undefined;
  const table = await readNamed(name, file, reading);
  const place = columnOf(table, column, 'split column');
  const rows = table.rows.filter(({ cells }) =>
    splits.includes((cells[place] as string).trim().toLowerCase()),
  );
  return { ...table, rows };
}

/** What a task learns. */
export function taskOf(name: string): Task {
  const labels = classNames(name);
  return labels.length > 0 ? singleLabel({ labels }) : regression();
}

/** The official train and development split of a task, from its folder or one that holds it; `test`: a labelled table of the same layout. */
export async function namedTask(
  name: string,
  folder: string,
  test?: string,
  reading: Reading = {},
): Promise<TextTask> {
  return {
    name,
    task: taskOf(name),
    metrics: NAMED_TASKS[name]!.metrics,
    train: await splitRows(name, folder, 'train', reading),
    evaluation: await splitRows(name, folder, 'dev', reading),
    ...(test !== undefined && { test: namedRows(name, await readNamed(name, test, reading)) }),
  };
}
