import type { Dataset } from '../batch.js';
import { chunks } from './order.js';

/** To what batches of token rows are padded. */
export interface Padding {
  /** Ascending; a batch is padded to the first of them that its longest row fits. */
  readonly lengths: readonly number[];
  /** A batch that none of them holds is padded to a multiple of this. */
  readonly lengthMultiple: number;
}

/** The length of a batch whose longest row has `longest` tokens. */
export function paddedLength(longest: number, { lengths, lengthMultiple }: Padding): number {
  return lengths.find((length) => length >= longest) ?? Math.ceil(longest / lengthMultiple) * lengthMultiple;
}

export interface BatchOptions {
  /** Default 16. */
  readonly batchSize?: number;
  /** Whether batches hold rows of a like length. Default false. */
  readonly groupByLength?: boolean;
  /** Lengths are whole multiples of this. Default 8. */
  readonly multiple?: number;
}

/** Passes over the data that a length serves. */
const EPOCHS = 3;
/** What a length costs, in batches of the longest: an engine compiles a step anew for each. */
const PRICE = 4;

/**
 * A few lengths for `TrainerOptions.lengths`: those which make three epochs the shortest, if each length costs as much
 * as four batches of the longest. A function of the rows' lengths alone, so that every seed and every method sees the same
 * batches. Empty for data without token rows.
 */
export function chooseLengths(
  data: Dataset,
  { batchSize = 16, groupByLength = false, multiple = 8 }: BatchOptions = {},
): number[] {
  if (!data.length || data.size === 0) return [];
  const rows = Array.from({ length: data.size }, (_, row) => Math.ceil(data.length!(row) / multiple));
  const batches = groupByLength ? countSorted(rows, batchSize) : countShuffled(rows, batchSize);
  const longest = batches.length - 1;
  // cheapest[end]: the least cost of all batches of up to `end` multiples, the last length being `end`.
  const cheapest = [{ cost: 0, before: 0 }];
  for (let end = 1; end <= longest; end++) {
    let [held, best] = [0, { cost: Infinity, before: 0 }];
    for (let before = end - 1; before >= 0; before--) {
      held += batches[before + 1]!;
      const cost = cheapest[before]!.cost + EPOCHS * held * end + PRICE * longest;
      if (cost < best.cost) best = { cost, before };
    }
    cheapest.push(best);
  }
  const lengths: number[] = [];
  for (let end = longest; end > 0; end = cheapest[end]!.before) lengths.unshift(end * multiple);
  return lengths;
}

/** How many batches of sorted rows have a longest row of each length. */
function countSorted(rows: readonly number[], batchSize: number): number[] {
  const sorted = [...rows].sort((a, b) => b - a);
  return histogram(chunks(sorted, batchSize).map(([longest]) => longest!));
}

/** How many batches of shuffled rows may be expected to have a longest row of each length: P(max <= x) = P(row <= x)^B. */
function countShuffled(rows: readonly number[], batchSize: number): number[] {
  let [seen, shareBelow] = [0, 0];
  return histogram(rows).map((count) => {
    seen += count;
    const share = (seen / rows.length) ** batchSize;
    const batches = (share - shareBelow) * Math.ceil(rows.length / batchSize);
    shareBelow = share;
    return batches;
  });
}

/** How often each whole number from 0 to the largest occurs. */
function histogram(values: readonly number[]): number[] {
  const counts = new Array<number>(values.reduce((a, b) => Math.max(a, b)) + 1).fill(0);
  for (const value of values) counts[value]! += 1;
  return counts;
}
