import { extname } from 'node:path';
import { HypetuneError, show } from '@hypetune/core';
import { CsvError, parse } from 'csv-parse/sync';
import { readText } from '../text-file.js';

/** A table in memory, every row with as many cells as its header (or its first row) has. */
export interface Table {
  readonly file: string;
  /** Column names; undefined for a table without a header. */
  readonly header: readonly string[] | undefined;
  readonly rows: readonly TableRow[];
}

export interface TableRow {
  /** Where the row ends in its file, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

export interface TableOptions {
  /** Default true: the first line names the columns. */
  readonly header?: boolean;
  /** How many columns there must be (default: as many as the first line has). */
  readonly columns?: number;
}

/**
 * Reads `.csv` (commas, cells quoted by `"`), `.jsonl` (an object a line) or else tabs, where quotes are plain characters.
 * Throws on a missing file, on one without rows and on a row with a wrong number of columns.
 */
export async function readTable(file: string, options: TableOptions = {}): Promise<Table> {
  const { header = true, columns } = options;
  const text = await readText(file);
  const kind = extname(file).toLowerCase();
  const records = kind === '.jsonl' ? parseObjects(text, file) : parseCells(text, file, kind === '.csv');
  const named = header || kind === '.jsonl';
  const wanted = columns ?? records[0]?.cells.length;
  for (const { line, cells } of records)
    if (cells.length !== wanted)
      throw new HypetuneError(
        `${file}:${line}: ${cells.length} columns, expected ${wanted}${names(records, named)}.`,
      );
  const rows = named ? records.slice(1) : records;
  if (rows.length === 0) throw new HypetuneError(`${file}: the file has no rows.`);
  return { file, header: named ? records[0]!.cells : undefined, rows };
}

/** The place of a column given by its name, or by its index in a table without a header. */
export function columnOf(table: Table, column: string | number, option: string): number {
  const place = typeof column === 'number' ? column : (table.header?.indexOf(column) ?? -1);
  if (place >= 0) return place;
  throw new HypetuneError(
    `${table.file}: there is no column ${show(column)} (${option}); the columns are ${(table.header ?? []).map(show).join(', ')}.`,
  );
}

function parseCells(text: string, file: string, quoted: boolean): TableRow[] {
  try {
    const records = parse(text, {
      bom: true,
      delimiter: quoted ? ',' : '\t',
      quote: quoted ? '"' : false,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
      info: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return records.map(({ record, info }) => ({ line: info.lines, cells: record }));
  } catch (error) {
    if (error instanceof CsvError) throw new HypetuneError(`${file}: ${error.message}.`);
    throw error;
  }
}

/** The objects as a table whose header is the first object's keys. */
function parseObjects(text: string, file: string): TableRow[] {
  const rows: TableRow[] = [];
  for (const [place, source] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (source.trim() === '') continue;
    const line = place + 1;
    const value = parseObject(source, file, line);
    if (rows.length === 0) rows.push({ line, cells: Object.keys(value) });
    const keys = rows[0]!.cells;
    if (keys.some((key) => !(key in value)) || Object.keys(value).length !== keys.length)
      throw new HypetuneError(
        `${file}:${line}: the keys are ${Object.keys(value).join(', ')}; the first line has ${keys.join(', ')}.`,
      );
    rows.push({ line, cells: keys.map((key) => String(value[key])) });
  }
  return rows;
}

function parseObject(source: string, file: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    throw new HypetuneError(`${file}:${line}: not a JSON object.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new HypetuneError(`${file}:${line}: not a JSON object.`);
  return value as Record<string, unknown>;
}

function names(records: readonly TableRow[], named: boolean): string {
  return named && records[0] ? ` (${records[0].cells.join(', ')})` : '';
}
