import { seedKey } from '@hypetune/ops';
import { describe, expect, test } from 'vitest';
import type { Dataset } from '../batch.js';
import { epochBatches } from './order.js';
import { chooseLengths, paddedLength } from './padding.js';

const rows = (lengths: readonly number[]): Dataset => ({
  size: lengths.length,
  label: () => 0,
  length: (row) => lengths[row]!,
  inputs: () => [],
});
const range = (count: number, length: (row: number) => number): Dataset =>
  rows(Array.from({ length: count }, (_, row) => length(row)));

/** What `chooseLengths` makes small: the padded tokens a row of three epochs, and the price of the lengths. */
function cost(data: Dataset, lengths: readonly number[], groupByLength: boolean): number {
  let padded = 0;
  for (const batch of epochBatches(data, 16, seedKey(0), groupByLength)) {
    const longest = Math.max(...batch.map((row) => data.length!(row)));
    padded += paddedLength(longest, { lengths, lengthMultiple: 8 });
  }
  return 3 * padded + 4 * lengths.at(-1)! * lengths.length;
}

/** Every list of multiples of 8 that ends at `longest`. */
function everyList(longest: number): number[][] {
  const others = Array.from({ length: longest / 8 - 1 }, (_, i) => 8 * (i + 1));
  return Array.from({ length: 2 ** others.length }, (_, bits) => [
    ...others.filter((_, i) => (bits >> i) & 1),
    longest,
  ]);
}

test('a batch is padded to the first length that holds it, beyond them to a multiple', () => {
  const padding = { lengths: [24, 56], lengthMultiple: 16 };
  const padded = [1, 24, 25, 56, 57, 65].map((longest) => paddedLength(longest, padding));
  expect(padded).toEqual([24, 24, 56, 56, 64, 80]);
});

describe('chooseLengths', () => {
  const skewed = range(1600, (row) => 5 + Math.floor(75 * (row / 1600) ** 3));

  test.each([true, false])('no list costs less; grouped: %s', (groupByLength) => {
    const chosen = chooseLengths(skewed, { batchSize: 16, groupByLength });
    expect(chosen.at(-1)).toBe(80);
    const least = Math.min(...everyList(80).map((lengths) => cost(skewed, lengths, groupByLength)));
    // Batches as they are drawn are not quite those that the choice expects.
    expect(cost(skewed, chosen, groupByLength)).toBeLessThanOrEqual(1.02 * least);
  });

  test('rows of one length get one length, and few batches few', () => {
    expect(chooseLengths(range(1000, () => 30))).toEqual([32]);
    expect(chooseLengths(range(8, (row) => 10 * (row + 1)))).toEqual([80]);
    const lengths = (count: number): number =>
      chooseLengths(
        range(count, (row) => 1 + (row % 512)),
        { groupByLength: true },
      ).length;
    expect(lengths(512)).toBeLessThan(lengths(5120));
  });

  test('many rows are no trouble', () => {
    expect(chooseLengths(range(400_000, (row) => 1 + (row % 60))).at(-1)).toBe(64);
  });

  test('there are none for data without token rows', () => {
    expect(chooseLengths({ size: 2, label: () => 0, inputs: () => [] })).toEqual([]);
    expect(chooseLengths(rows([]))).toEqual([]);
  });
});
