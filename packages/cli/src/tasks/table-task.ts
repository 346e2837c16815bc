import { basename } from 'node:path';
import { HypetuneError } from '@hypetune/core';
import type { Settings } from '../settings.js';
import { firstRows } from './fixed-order.js';
import { layoutOf } from './layout.js';
import { labelColumnsOf, type LabelCells, problemName, problemOf } from './problems.js';
import { labelColumns, rowsOf } from './rows.js';
import { readTable, type Table } from './table.js';
import type { Row, TextTask } from './task.js';

/** Share of the rows that is set aside where there are no others to measure on. */
const HELD_OUT = 0.1;

/** A task of the user's own: tables with a header and a row an example. */
export async function tableTask(settings: Settings & { readonly train: string }): Promise<TextTask> {
  const { train, validation, test, delimiter, encoding } = settings;
  const read = async (file: string | undefined): Promise<Table | undefined> =>
    file === undefined ? undefined : readTable(file, { delimiter, encoding });
  return taskOfTables(settings, (await read(train))!, await read(validation), await read(test));
}

/** A task from the rows of tables; where there are none to measure on, some to learn from are set aside for it. */
export function taskOfTables(settings: Settings, table: Table, validation?: Table, test?: Table): TextTask {
  const kind = problemName(settings);
  const problem = problemOf(kind);
  const columns = labelColumnsOf(settings, problem);
  const found = problem.names(cellsOf(table, columns), columns, settings);
  checkNames(found, table, settings);
  const names = settings.labels ?? found;
  const layout = layoutOf(settings, kind, names);
  const task = problem.task(names);
  const read = (rows: Table): Row[] => rowsOf(rows, layout.columns, layout.labels);
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
