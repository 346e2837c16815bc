import { createHash } from 'node:crypto';
import type { DataRecord } from '../run-folder.js';
import type { Row, TextTask } from './task.js';

/** Number and hash of the rows of a task. */
export function dataOf({
  train,
  evaluation,
}: Pick<TextTask, 'train' | 'evaluation'>): Record<'train' | 'evaluation', DataRecord> {
  return { train: dataRecord(train), evaluation: dataRecord(evaluation) };
}

function dataRecord(rows: readonly Row[]): DataRecord {
  return { rows: rows.length, sha256: hashOfRows(rows) };
}

/** The hash of rows in their order: of a line of JSON each, [text, pair or null, words or null, label]. */
export function hashOfRows(rows: readonly Row[]): string {
  const hash = createHash('sha256');
  for (const { text, pair = null, words = null, label } of rows)
    hash.update(`${JSON.stringify([text, pair, words, label])}\n`);
  return hash.digest('hex');
}
