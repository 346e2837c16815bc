import { columnOf, type Table } from './table.js';
import type { Labels } from './labels.js';
import type { Row } from './task.js';

/** Where the parts of a row stand: column names, or indices in a table without a header. */
export interface Columns {
  readonly text: string | number;
  readonly pair?: string | number | undefined;
  readonly label: string | number;
}

/** The rows of a table; an error names the file and the line. */
export function rowsOf(table: Table, columns: Columns, labels: Labels): Row[] {
  const text = columnOf(table, columns.text, 'text column');
  const pair = columns.pair === undefined ? undefined : columnOf(table, columns.pair, 'pair column');
  const label = columnOf(table, columns.label, 'label column');
  return table.rows.map(({ line, cells }) => ({
    text: cells[text]!,
    ...(pair === undefined ? {} : { pair: cells[pair]! }),
    label: labels.read(cells[label]!, `${table.file}:${line}`),
  }));
}
