import { extname } from 'node:path';
import { HypetuneError, show } from '@hypetune/core';
import { decodeText, readBytes } from '../text-file.js';
import { columnsOfWords } from './conll.js';
import { delimitedRecords } from './delimited.js';
import { arrayRecords, lineRecords } from './json-records.js';
import { parquetRecords } from './parquet.js';

/** A table in memory, every row with as many cells as its header (or its first row) has. */
export interface Table {
  readonly file: string;
  /** Column names; undefined for a table without a header. */
  readonly header: readonly string[] | undefined;
  readonly rows: readonly TableRow[];
}

export interface TableRow {
  /** Where the row ends in its file (or its number, where the file has no lines), from 1. */
  readonly line: number;
  /** Texts, or what a JSON or Parquet file holds; undefined where a key is missing. */
  readonly cells: readonly unknown[];
}

export interface TableOptions {
  /** Default true: the first line names the columns. */
  readonly header?: boolean | undefined;
  /** How many columns there must be (default: as many as the first line has). */
  readonly columns?: number | undefined;
  /** What stands between two cells (default: a tab; in .csv a comma, or what the header has instead). */
  readonly delimiter?: string | undefined;
  /** Leave rows out that have another number of columns, instead of throwing. */
  readonly skipBroken?: boolean | undefined;
  /** Default: what the byte order mark says, else UTF-8. */
  readonly encoding?: string | undefined;
  /** The key of the rows in a .json file that is an object of several lists. */
  readonly list?: string | undefined;
}

/** The file endings of tables, `.gz` aside. */
export const TABLE_ENDINGS: readonly string[] = [
  ...['.csv', '.tsv', '.jsonl', '.ndjson', '.json', '.parquet'],
  ...['.conll', '.bio', '.iob', '.iob2'],
];

/** The ending of a file that says what is in it, that of a gzip file inside. */
export function endingOf(file: string): string {
  return extname(file.replace(/\.gz$/i, '')).toLowerCase();
}

/** Whether a file has a word a line, by its ending. */
export function isOfWords(file: string): boolean {
  return /^\.(conll|bio|iob2?)$/.test(endingOf(file));
}

/**
 * Reads `.csv` (cells quoted by `"`), `.jsonl` (an object a line), `.json` (an array of objects), `.parquet`, `.conll` (a word a
 * line) or else tabs, where quotes are plain characters; any of them also as `.gz`. Throws on a missing file, on one without
 * rows, on a row with a wrong number of columns and on bytes that are no text.
 */
export async function readTable(file: string, options: TableOptions = {}): Promise<Table> {
  const bytes = await readBytes(file);
  const table = { file, ...(await tableOf(bytes, file, options)) };
  if (table.rows.length === 0) throw new HypetuneError(`${file}: the file has no rows.`);
  return table;
}

/** Records as a table whose columns are their keys; `name` stands for the file in errors, which count the rows from 1. */
export function tableOfRecords(records: readonly object[], name: string): Table {
  if (records.length === 0) throw new HypetuneError(`${name}: there are no rows.`);
  const header = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const rows = records.map((record, place) => ({
    line: place + 1,
    cells: header.map((key) => (record as Record<string, unknown>)[key]),
  }));
  return { file: name, header, rows };
}

/** {@link readTable} of bytes that are here already; a table may have no rows. */
export async function tableOf(
  bytes: Uint8Array,
  file: string,
  options: TableOptions = {},
): Promise<Omit<Table, 'file'>> {
  const ending = endingOf(file);
  if (ending === '.parquet') return parquetRecords(bytes, file);
  const text = decodeText(bytes, file, options.encoding);
  if (ending === '.jsonl' || ending === '.ndjson') return lineRecords(text, file);
  if (ending === '.json') return arrayRecords(text, file, options.list);
  if (isOfWords(file)) return columnsOfWords(text, file);
  return delimited(text, file, options);
}

function delimited(
  text: string,
  file: string,
  { header = true, columns, delimiter, skipBroken = false }: TableOptions,
): Omit<Table, 'file'> {
  const all = delimitedRecords(text, file, endingOf(file) === '.csv', delimiter);
  const wanted = columns ?? all[0]?.cells.length;
  const records = skipBroken ? all.filter(({ cells }) => cells.length === wanted) : all;
  const names = header && records[0] ? ` (${records[0].cells.join(', ')})` : '';
  for (const { line, cells } of records)
    if (cells.length !== wanted)
      throw new HypetuneError(`${file}:${line}: ${cells.length} columns, expected ${wanted}${names}.`);
  return header
    ? { header: records[0]?.cells, rows: records.slice(1) }
    : { header: undefined, rows: records };
}

/** The place of a column given by its name, or by its index in a table without a header. Throws where none, or more than one, has that name. */
export function columnOf(table: Table, column: string | number, option: string): number {
  const { header = [] } = table;
  const place = typeof column === 'number' ? column : header.indexOf(column);
  if (typeof column === 'string' && header.lastIndexOf(column) !== place)
    throw new HypetuneError(
      `${table.file}: two columns are called ${show(column)} (${option}); give each a name of its own.`,
    );
  if (place >= 0) return place;
  throw new HypetuneError(
    `${table.file}: there is no column ${show(column)} (${option}); the columns are ${header.map(show).join(', ')}.`,
  );
}
