import { createHash } from 'node:crypto';
import type { DataRecord } from '../run-folder.js';
import type { Row } from './task.js';

/** Number and hash of rows. */
export function dataRecord(rows: readonly Row[]): DataRecord {
  return { rows: rows.length, sha256: hashOfRows(rows) };
}

/** The hash of rows in their order: of a line of JSON each, [text, pair or null, words or null, label]. */
export function hashOfRows(rows: readonly Row[]): string {
  const hash = createHash('sha256');
  for (const { text, pair = null, words = null, label } of rows)
    hash.update(`${JSON.stringify([text, pair, words, label])}\n`);
  return hash.digest('hex');
}
