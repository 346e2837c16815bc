import { existsSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { HypetuneError } from '@hypetune/core';
import { resolveData } from '@hypetune/models';
import type { DownloadNotes } from '../download.js';
import type { Settings } from '../settings.js';
import { firstRows } from './fixed-order.js';
import { layoutOf } from './layout.js';
import { checkSeparator, labelColumnsOf, type LabelCells, problemName, problemOf } from './problems.js';
import { labelColumns } from './rows.js';
import { filesCalled } from './split-files.js';
import { isOfWords, readTable, type Table } from './table.js';
import type { Row, TextTask } from './task.js';

/** Share of the rows that is set aside where there are no others to measure on. */
const HELD_OUT = 0.1;

/**
 * A task of the user's own: tables with a header and a row an example. `train` may be a folder or a source of data too: its table
 * `train` and, unless another is given, its table `validation` or `dev`.
 */
export async function tableTask(
  settings: Settings & { readonly train: string },
  downloads: DownloadNotes = (run) => run({}),
): Promise<TextTask> {
  const { train, validation, test, delimiter, encoding } = settings;
  const read = async (file: string): Promise<Table> => readTable(file, { delimiter, encoding });
  const rest = test === undefined ? undefined : await read(test);
  if (!isSource(train))
    return taskOfTables(
      settings,
      await read(train),
      validation === undefined ? undefined : await read(validation),
      rest,
    );
  const folder = await downloads((options) => resolveData(train, options));
  const called = async (stems: readonly string[]): Promise<Table | undefined> => {
    const files = await filesCalled(folder, stems);
    return files.length === 0 ? undefined : joined(await Promise.all(files.map(read)));
  };
  const rows = await called(['train']);
  if (rows === undefined) throw new HypetuneError(`--train: ${folder} has no table called train.`);
  const other = validation === undefined ? await called(['validation', 'dev']) : await read(validation);
  return { ...taskOfTables(settings, rows, other, rest), name: basename(train.replace(/@.*/, '')) };
}

/** Whether a text names a folder or what is fetched, and no file. */
export function isSource(text: string): boolean {
  return /^(hf|pip|npm|file):/.test(text) || (existsSync(text) && statSync(text).isDirectory());
}

/** The parts of a table as one, its lines counted on. */
function joined(parts: readonly Table[]): Table {
  const [first, ...others] = parts as [Table, ...Table[]];
  if (others.length === 0) return first;
  const odd = others.find(({ header }) => String(header) !== String(first.header));
  if (odd) throw new HypetuneError(`${odd.file}: other columns than ${first.file}.`);
  const rows = parts.flatMap((part) => part.rows).map(({ cells }, place) => ({ line: place + 1, cells }));
  return { file: `${dirname(first.file)} (${parts.length} parts)`, header: first.header, rows };
}

/** A task from the rows of tables; where there are none to measure on, some to learn from are set aside for it. */
export function taskOfTables(settings: Settings, table: Table, validation?: Table, test?: Table): TextTask {
  const kind = problemName(settings);
  if (isOfWords(table.file) && kind !== 'token-classification')
    throw new HypetuneError(
      `${table.file}: a word a line with its label is for --problem token-classification, not for ${kind}.`,
    );
  const problem = problemOf(kind);
  checkSeparator(settings, kind);
  const columns = labelColumnsOf(settings, kind);
  const found = problem.names(cellsOf(table, columns), columns, settings);
  checkNames(found, table, settings);
  const names = settings.labels ?? found;
  const layout = layoutOf(settings, kind, names);
  const task = problem.task(names);
  const read = (rows: Table): Row[] => layout.rows(rows);
  const rows = read(table);
  const shared = {
    ...{ name: basename(table.file), task, metrics: task.metrics.map(({ name }) => name) },
    ...(test && { test: read(test) }),
  };
  if (validation !== undefined) return { ...shared, train: rows, evaluation: read(validation) };
  if (rows.length < 2)
    throw new HypetuneError(`${table.file}: one row is too few to learn from and to measure on.`);
  const classOf = ({ label }: Row): unknown => (task.kind === 'class' ? label : undefined);
  return { ...shared, ...heldOut(rows, classOf) };
}

function cellsOf(table: Table, columns: readonly string[]): LabelCells[] {
  const places = labelColumns(table, { text: 0, label: columns });
  return table.rows.map(({ line, cells }) => ({
    cells: places.map((column) => cells[column]),
    place: `${table.file}:${line}`,
  }));
}

/** Throws where the labels are of one class alone, or look like values and nobody said that they are classes. */
function checkNames(names: readonly string[], table: Table, settings: Settings): void {
  const kind = problemName(settings);
  if (kind === 'regression') return;
  if (names.length < (kind === 'multi-label' ? 1 : 2))
    throw new HypetuneError(
      `${table.file}: every label is '${names[0] ?? ''}'; a classification needs two classes (or say --problem regression).`,
    );
  const numbers = names.every((name) => Number.isFinite(Number(name)));
  const many = names.length > 20 && names.length > table.rows.length / 4;
  const broken = names.some((name) => !Number.isInteger(Number(name)));
  if (settings.problem !== undefined || settings.labels !== undefined || !numbers || !(many || broken))
    return;
  throw new HypetuneError(
    `${table.file}: the labels of ${table.rows.length} rows are ${names.length} different numbers; ` +
      `say --problem regression if they are values, --problem classification if they are classes.`,
  );
}

/** A tenth of the rows of each group set aside, always the same ones; of a group of three or more at least one. */
function heldOut(rows: readonly Row[], groupOf: (row: Row) => unknown): { train: Row[]; evaluation: Row[] } {
  const shuffled = firstRows(rows);
  const groups = new Map<unknown, Row[]>();
  for (const row of shuffled) {
    const group = groups.get(groupOf(row));
    if (group) group.push(row);
    else groups.set(groupOf(row), [row]);
  }
  const held = new Set<Row>();
  for (const group of groups.values()) {
    const share = Math.round(group.length * HELD_OUT);
    for (const row of group.slice(0, Math.max(share, group.length > 2 ? 1 : 0))) held.add(row);
  }
  if (held.size === 0) held.add(shuffled[0]!);
  return {
    train: shuffled.filter((row) => !held.has(row)),
    evaluation: shuffled.filter((row) => held.has(row)),
  };
}
