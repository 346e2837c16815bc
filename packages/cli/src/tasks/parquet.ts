import { HypetuneError } from '@hypetune/core';
import { objectTable } from './json-records.js';
import { type ParquetContent, readParquet } from './parquet-reader.js';
import type { Table } from './table.js';

/** The rows of a Parquet file, compressed by Snappy, gzip or Brotli or not at all; the line of a row is its number. */
export async function parquetRecords(bytes: Uint8Array, file: string): Promise<Omit<Table, 'file'>> {
  const content = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  try {
    const { rows, metadata } = await readParquet(content);
    const named = classNamer(metadata);
    return objectTable(rows.map((row, place) => [place + 1, named(plain(row) as Cells)] as const));
  } catch (error) {
    throw new HypetuneError(`${file}: not a Parquet file that can be read: ${(error as Error).message}.`);
  }
}

type Cells = Record<string, unknown>;

/** What the library `datasets` writes of the columns of a file. */
interface Features {
  readonly info?: {
    readonly features?: Readonly<
      Record<string, { readonly _type?: string; readonly names?: readonly string[] }>
    >;
  };
}

/** Puts names into the place of class numbers, where the file says what they are; a number without a name stays. */
function classNamer(metadata: ParquetContent['metadata']): (cells: Cells) => Cells {
  const text = metadata.find(({ key }) => key === 'huggingface')?.value;
  const { info } = (text === undefined ? {} : JSON.parse(text)) as Features;
  const classes = Object.entries(info?.features ?? {}).filter(([, { _type }]) => _type === 'ClassLabel');
  return (cells) => {
    for (const [column, { names }] of classes)
      cells[column] = names?.[cells[column] as number] ?? cells[column];
    return cells;
  };
}

/** 64-bit integers as numbers, all else as it is. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Array) return value.map(plain);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
