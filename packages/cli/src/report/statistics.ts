import { deviation as sampleDeviation, mean, studentTwoSided } from '@hypetune/statistics';

export interface Summary {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation; undefined for a single value. */
  readonly deviation: number | undefined;
  readonly max: number;
}

export function summarize(values: readonly number[]): Summary {
  const list = [...values];
  return {
    count: list.length,
    mean: mean(list),
    deviation: list.length > 1 ? sampleDeviation(list) : undefined,
    max: Math.max(...list),
  };
}

/** A paired comparison of two lists of the same length. */
export interface PairedDifference {
  /** Mean of `b - a`. */
  readonly mean: number;
  /** Of Student's paired t test, two-sided; undefined for a single pair, or where every pair differs by the same amount. */
  readonly p: number | undefined;
}

/** How far `b` lies above `a`, pair by pair (the same seed in both). */
export function pairedDifference(a: readonly number[], b: readonly number[]): PairedDifference {
  const differences = b.map((value, pair) => value - a[pair]!);
  const { mean: center, deviation, count } = summarize(differences);
  if (differences.every((difference) => difference === 0)) return { mean: 0, p: count > 1 ? 1 : undefined };
  if (!deviation || deviation < 1e-12) return { mean: center, p: undefined };
  return { mean: center, p: studentTwoSided(center / (deviation / Math.sqrt(count)), count - 1) };
}
