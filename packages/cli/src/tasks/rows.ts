import { HypetuneError } from '@hypetune/core';
import { listCell, textCell } from './cells.js';
import { columnOf, type Table } from './table.js';
import type { Labels } from './labels.js';
import type { Row, TextRow } from './task.js';

/** Where the parts of a row stand: column names, or indices in a table without a header. */
export interface Columns {
  readonly text: string | number;
  readonly pair?: string | number | undefined;
  readonly label: string | number | readonly string[];
  /** The text column holds the words of a sentence. */
  readonly words?: boolean | undefined;
}

/** What a model reads of each row of a table; an error names the file and the line. */
export function textsOf(table: Table, columns: Omit<Columns, 'label'>): TextRow[] {
  const text = columnOf(table, columns.text, 'text column');
  const pair = columns.pair === undefined ? undefined : columnOf(table, columns.pair, 'pair column');
  const name = String(columns.text);
  return table.rows.map(({ line, cells }) => {
    const place = `${table.file}:${line}`;
    if (columns.words) {
      const words = listCell(cells[text], place, name).map((word) => textCell(word, place, name));
      return { text: words.join(' '), words };
    }
    return {
      text: textCell(cells[text], place, name),
      ...(pair !== undefined && { pair: textCell(cells[pair], place, String(columns.pair)) }),
    };
  });
}

/** The rows of a table; an error names the file and the line. */
export function rowsOf(table: Table, columns: Columns, labels: Labels): Row[] {
  const places = labelColumns(table, columns);
  return textsOf(table, columns).map((row, index) => {
    const { line, cells } = table.rows[index]!;
    const place = `${table.file}:${line}`;
    const label = labels.read(
      places.map((column) => cells[column]),
      place,
    );
    if (row.words && (label as readonly number[]).length !== row.words.length)
      throw new HypetuneError(
        `${place}: ${(label as readonly number[]).length} labels for ${row.words.length} words.`,
      );
    return { ...row, label };
  });
}

/** The places of the label columns. */
export function labelColumns(table: Table, { label }: Columns): number[] {
  const names = typeof label === 'object' ? label : [label];
  return names.map((name) => columnOf(table, name, 'label column'));
}
