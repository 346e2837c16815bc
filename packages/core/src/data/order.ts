import { foldIn, type Key } from '@hypetune/ops';
import type { Dataset } from '../batch.js';

/** The row numbers 0 .. size-1 in an order that `key` alone decides. */
export function shuffled(size: number, key: Key): number[] {
  const ranks = Array.from({ length: size }, (_, index) => foldIn(key, index));
  return Array.from({ length: size }, (_, index) => index).sort((a, b) => {
    const [a0, a1] = ranks[a]!;
    const [b0, b1] = ranks[b]!;
    return a0 - b0 || a1 - b1 || a - b;
  });
}

/** Cuts a list into pieces of `size`; the last may be shorter. */
export function chunks<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
    list.slice(i * size, (i + 1) * size),
  );
}

/** How many batches are sorted by length together: enough to find like lengths, few enough to stay random. */
const WINDOW = 50;

/**
 * The microbatches of an epoch: a shuffle cut into batches. With `groupByLength`, windows of 50 batches are sorted by
 * length before the cut and their batches shuffled after it.
 */
export function epochBatches(data: Dataset, batchSize: number, key: Key, groupByLength: boolean): number[][] {
  const order = shuffled(data.size, foldIn(key, 'rows'));
  if (!groupByLength || !data.length) return chunks(order, batchSize);
  const length = data.length.bind(data);
  return chunks(order, batchSize * WINDOW).flatMap((window, place) => {
    const batches = chunks(
      [...window].sort((a, b) => length(b) - length(a)),
      batchSize,
    );
    return shuffled(batches.length, foldIn(key, 'batches', place)).map((index) => batches[index]!);
  });
}
