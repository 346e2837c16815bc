import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { HypetuneError } from '@hypetune/core';
import { objectTable } from './json-records.js';
import type { Table } from './table.js';

/** The rows of a Parquet file, compressed by Snappy, gzip or Brotli or not at all; the line of a row is its number. */
export async function parquetRecords(bytes: Uint8Array, file: string): Promise<Omit<Table, 'file'>> {
  const { parquetMetadata, parquetReadObjects } = await import('hyparquet');
  const content = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  let failed = false;
  try {
    const rows = await parquetReadObjects({
      file: {
        byteLength: content.byteLength,
        // Columns that were begun before another one failed get nothing: nobody would catch their own errors.
        slice: (start, end) =>
          new Promise((resolve) => {
            setImmediate(() => {
              if (!failed) resolve(content.slice(start, end));
            });
          }),
      },
      geoparquet: false, // a search for maps, which does not end on some damaged schemas
      compressors: { GZIP: (part) => gunzipSync(part), BROTLI: (part) => brotliDecompressSync(part) },
    });
    const named = classNamer(parquetMetadata(content).key_value_metadata);
    return objectTable(rows.map((row, place) => [place + 1, named(plain(row) as Cells)] as const));
  } catch (error) {
    failed = true;
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
function classNamer(
  metadata: readonly { readonly key: string; readonly value?: string }[] = [],
): (cells: Cells) => Cells {
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
