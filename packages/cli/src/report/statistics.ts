import { max, mean, sampleStandardDeviation } from 'simple-statistics';

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
    deviation: list.length > 1 ? sampleStandardDeviation(list) : undefined,
    max: max(list),
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
  return { mean: center, p: studentP(center / (deviation / Math.sqrt(count)), count - 1) };
}

/**
 * Probability that Student's t with a whole number of degrees of freedom lies further from 0 than `t`: the finite series
 * of Abramowitz and Stegun (1964), 26.7.3 and 26.7.4, in the angle `atan(t / sqrt(degrees))`.
 */
export function studentP(t: number, degrees: number): number {
  const angle = Math.atan(Math.abs(t) / Math.sqrt(degrees));
  const cosine = Math.cos(angle);
  const odd = degrees % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = odd ? 3 : 2; k < degrees - 1; k += 2) {
    term *= ((k - 1) / k) * cosine * cosine;
    sum += term;
  }
  const within = odd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
  return Math.min(1, Math.max(0, 1 - within));
}
