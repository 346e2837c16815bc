import { seedKey } from '@hypetune/ops';
import { expect, test } from 'vitest';
import type { Dataset } from '../batch.js';
import { epochBatches, shuffled } from './order.js';

const data: Dataset = {
  size: 1000,
  label: () => 0,
  length: (index) => 1 + ((index * 37) % 90),
  inputs: () => [],
};
const padding = (batches: number[][]): number =>
  batches.reduce((sum, rows) => {
    const lengths = rows.map((index) => data.length!(index));
    return sum + Math.max(...lengths) * rows.length - lengths.reduce((a, b) => a + b, 0);
  }, 0);

test('a shuffle is a permutation that its key alone decides', () => {
  const order = shuffled(1000, seedKey(1));
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, index) => index));
  expect(order).toEqual(shuffled(1000, seedKey(1)));
  expect(order).not.toEqual(shuffled(1000, seedKey(2)));
  // Spearman's rank correlation with the original order stays near 0.
  const mean = 499.5;
  const covariance = order.reduce((sum, index, place) => sum + (index - mean) * (place - mean), 0);
  expect(Math.abs(covariance / ((1000 * (1000 ** 2 - 1)) / 12))).toBeLessThan(0.1);
});

test('batches cover every row once, grouped by length or not, and grouping saves padding', () => {
  const plain = epochBatches(data, 16, seedKey(1), false);
  const grouped = epochBatches(data, 16, seedKey(1), true);
  for (const batches of [plain, grouped]) expect(new Set(batches.flat()).size).toBe(1000);
  expect(padding(grouped)).toBeLessThan(padding(plain) / 4);
});
