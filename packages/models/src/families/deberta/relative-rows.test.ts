import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { logBucket, relativeRows } from './relative-rows.js';

const recorded = JSON.parse(
  readFileSync(new URL('../../../fixtures/log-buckets.json', import.meta.url), 'utf8'),
) as Record<string, number[]>;

test.each(Object.entries(recorded))(
  'buckets, largest distance %s: as transformers has them',
  (key, wanted) => {
    const [buckets, maxDistance] = key.split(',').map(Number) as [number, number];
    expect(wanted).toHaveLength(1201);
    // Adding 0 turns a negative zero into the plain one.
    expect(wanted.map((_, i) => logBucket(i - 600, buckets, maxDistance) + 0)).toEqual(wanted);
  },
);

test('each distance has a row of its own as long as buckets are single distances', () => {
  const config = { span: 256, buckets: 256, maxDistance: 512 };
  expect(relativeRows(129, config)).toEqual({ first: 128, count: 257, indices: undefined });
  const { first, count, indices } = relativeRows(200, config);
  expect(first + (count - 1) / 2).toBe(256);
  expect(indices).toHaveLength(399);
  expect(new Set(indices).size).toBe(count);
  expect(count).toBeLessThan(399);
});

test('distances beyond the table take its outermost rows', () => {
  const { first, count, indices } = relativeRows(5, { span: 2, buckets: -1, maxDistance: 2 });
  expect([first, count]).toEqual([0, 4]);
  expect([...indices!]).toEqual([0, 0, 0, 1, 2, 3, 3, 3, 3]);
});
