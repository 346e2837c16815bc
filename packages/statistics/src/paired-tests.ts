import { differences, mean, pairedDeviation, ranks, roundingOf } from './describe.js';
import { normalCdf, studentQuantile, studentTwoSided } from './distributions.js';
import { FEWEST_RUNS, type Interval, type IntervalOptions } from './intervals.js';
import { pick, type Random, seeded } from './random.js';

/** Student's paired t test of `b - a`. */
export interface PairedT {
  readonly t: number;
  /** Two-sided. */
  readonly p: number;
  /** Of the mean difference. */
  readonly interval: Interval;
}

/** Two-sided paired t test, the interval to its confidence; undefined below three pairs or where all differ by one same amount. */
export function pairedT(
  a: readonly number[],
  b: readonly number[],
  { confidence = 0.95 }: IntervalOptions = {},
): PairedT | undefined {
  const pairs = differences(a, b);
  const [center, spread, count] = [mean(pairs), pairedDeviation(a, b), pairs.length];
  if (count < FEWEST_RUNS || spread === 0) return undefined;
  const error = spread / Math.sqrt(count);
  const t = center / error;
  const half = studentQuantile((1 + confidence) / 2, count - 1) * error;
  return {
    ...{ t, p: studentTwoSided(t, count - 1) },
    interval: { low: center - half, high: center + half },
  };
}

/** Wilcoxon's signed-rank test. */
export interface SignedRank {
  /** Sum of the ranks of pairs in which b is the higher one. */
  readonly positive: number;
  readonly negative: number;
  /** Two-sided. */
  readonly p: number;
}

/** Pairs up to which every sign is gone through. */
const EXACT_PAIRS = 50;

/**
 * Wilcoxon's signed-rank test, two-sided; pairs without a difference are left out. `exact` (default up to 50 pairs) goes
 * through every sign, equal differences included; else by the normal approximation. Undefined below three pairs that differ.
 */
export function wilcoxon(
  a: readonly number[],
  b: readonly number[],
  options: { readonly exact?: boolean; readonly continuity?: boolean } = {},
): SignedRank | undefined {
  const rounding = roundingOf(a, b);
  const pairs = differences(a, b).filter((difference) => Math.abs(difference) > rounding);
  if (pairs.length < FEWEST_RUNS) return undefined;
  const { exact = pairs.length <= EXACT_PAIRS, continuity = false } = options;
  const rank = ranks(pairs.map(Math.abs), rounding);
  const total = rank.reduce((sum, value) => sum + value, 0);
  const positive = rank.reduce((sum, value, pair) => sum + (pairs[pair]! > 0 ? value : 0), 0);
  const lower = Math.min(positive, total - positive);
  const p = exact ? 2 * shareAtMost(rank, lower) : normalP(rank, lower, continuity);
  return { positive, negative: total - positive, p: Math.min(1, p) };
}

/** Share of all choices of signs whose sum of positive ranks is at most `bound`; ranks are whole or halves. */
function shareAtMost(rank: readonly number[], bound: number): number {
  let counts = [1];
  for (const value of rank) {
    const step = Math.round(2 * value);
    const next = new Array<number>(counts.length + step).fill(0);
    for (const [sum, count] of counts.entries()) {
      next[sum]! += count / 2;
      next[sum + step]! += count / 2;
    }
    counts = next;
  }
  return counts.slice(0, Math.round(2 * bound) + 1).reduce((sum, count) => sum + count, 0);
}

function normalP(rank: readonly number[], lower: number, continuity: boolean): number {
  const count = rank.length;
  const ties = new Map<number, number>();
  for (const value of rank) ties.set(value, (ties.get(value) ?? 0) + 1);
  const correction = [...ties.values()].reduce((sum, size) => sum + size ** 3 - size, 0);
  const variance = (count * (count + 1) * (2 * count + 1)) / 24 - correction / 48;
  const from = lower - (count * (count + 1)) / 4;
  return 2 * normalCdf((from + (continuity ? 0.5 * Math.sign(-from) : 0)) / Math.sqrt(variance));
}

/** Pairs up to which the permutation test goes through all signs. */
const PERMUTED_PAIRS = 16;

/**
 * Permutation test of the mean difference by changing signs, two-sided: all of them up to 16 pairs, else `draws` (default
 * 100,000) of them. Undefined below three pairs.
 */
export function permutationTest(
  a: readonly number[],
  b: readonly number[],
  { draws = 100_000, random = seeded(0) }: { readonly draws?: number; readonly random?: Random } = {},
): number | undefined {
  const pairs = differences(a, b);
  if (pairs.length < FEWEST_RUNS) return undefined;
  const sizes = pairs.map(Math.abs);
  const observed = Math.abs(pairs.reduce((sum, value) => sum + value, 0));
  const bound = observed - pairs.length * roundingOf(a, b);
  const sumOf = (sign: (pair: number) => boolean): number =>
    sizes.reduce((sum, size, pair) => sum + (sign(pair) ? size : -size), 0);
  // The signs' distribution is the same on both sides, so one side counts.
  let beyond = 0;
  if (pairs.length <= PERMUTED_PAIRS) {
    const all = 2 ** pairs.length;
    for (let signs = 0; signs < all; signs += 1)
      if (sumOf((pair) => ((signs >> pair) & 1) === 1) >= bound) beyond += 1;
    return Math.min(1, (2 * beyond) / all);
  }
  for (let draw = 0; draw < draws; draw += 1) if (sumOf(() => pick(random, 2) === 1) >= bound) beyond += 1;
  return Math.min(1, (2 * (beyond + 1)) / (draws + 1));
}

/** Holm's (1979) step-down correction: p values of several tests, such that one below 0.05 is so for all of them together. */
export function holm(values: readonly number[]): number[] {
  const order = values.map((_, place) => place).sort((i, j) => values[i]! - values[j]!);
  const corrected = new Array<number>(values.length);
  let before = 0;
  for (const [step, place] of order.entries()) {
    before = Math.min(1, Math.max(before, (values.length - step) * values[place]!));
    corrected[place] = before;
  }
  return corrected;
}
