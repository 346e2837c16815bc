import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { HypetuneError } from '@hypetune/core';
import { objectTable } from './json-records.js';
import type { Table } from './table.js';

/** The rows of a Parquet file, compressed by Snappy, gzip or Brotli or not at all; the line of a row is its number. */
export async function parquetRecords(bytes: Uint8Array, file: string): Promise<Omit<Table, 'file'>> {
  const { parquetReadObjects } = await import('hyparquet');
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
    return objectTable(rows.map((row, place) => [place + 1, plain(row) as Record<string, unknown>] as const));
  } catch (error) {
    failed = true;
    throw new HypetuneError(`${file}: not a Parquet file that can be read: ${(error as Error).message}.`);
  }
}

/** 64-bit integers as numbers, all else as it is. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Array) return value.map(plain);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
