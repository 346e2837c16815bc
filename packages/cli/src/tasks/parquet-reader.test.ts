import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readParquet } from './parquet-reader.js';

const bytes = readFileSync(new URL('../../test/fixtures/rows-none.parquet', import.meta.url));
const content = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;

test('reading that does not end is ended, and the next files are read', async () => {
  // A thread takes longer than no time at all to begin.
  await expect(readParquet(content, 0)).rejects.toThrow('reading it did not end within 0 s, it is damaged');
  const [one, other] = await Promise.all([readParquet(content), readParquet(content)]);
  expect(one.rows).toHaveLength(3);
  expect(other).toEqual(one);
  await expect(readParquet(new ArrayBuffer(16))).rejects.toThrow(/parquet/);
  expect(await readParquet(content)).toEqual(one);
});
