import { foldIn, seedKey, type Key } from '@hypetune/ops';

/**
 * The numbers 0 to `size - 1` in an order that looks random and is the same everywhere and always, so that the first N
 * of a data set are the same rows in every run.
 */
export function fixedOrder(size: number): number[] {
  const key = foldIn(seedKey(0), 'order of rows');
  const draws: Key[] = Array.from({ length: size }, (_, row) => foldIn(key, row));
  return draws
    .map((_, row) => row)
    .sort((a, b) => draws[a]![0] - draws[b]![0] || draws[a]![1] - draws[b]![1]);
}

/** The first `limit` rows of the fixed order (all rows, in that order, if there are fewer or no limit is given). */
export function firstRows<T>(rows: readonly T[], limit: number = Infinity): T[] {
  return fixedOrder(rows.length)
    .slice(0, limit)
    .map((row) => rows[row]!);
}
