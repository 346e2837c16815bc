import { deviation, mean, roundingOf } from './describe.js';
import { studentQuantile } from './distributions.js';

/** A range that holds a value with the confidence that was asked for. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface IntervalOptions {
  /** Share of such intervals that hold the value (default 0.95). */
  readonly confidence?: number | undefined;
}

/** Runs below which nothing is said of how far runs lie apart: neither interval nor test. */
export const FEWEST_RUNS = 3;

/**
 * Student's interval of the mean of several groups' means (the tasks), whose runs are drawn apart; of several groups with the degrees
 * of freedom of Welch (1947). Undefined where a group has fewer than three runs, or nothing differs but by rounding.
 */
export function meanInterval(
  groups: readonly (readonly number[])[],
  { confidence = 0.95 }: IntervalOptions = {},
): Interval | undefined {
  if (groups.length === 0 || groups.some(({ length }) => length < FEWEST_RUNS)) return undefined;
  const errors = groups.map((values) => deviation(values) ** 2 / values.length);
  const error = Math.sqrt(sum(errors));
  if (error <= roundingOf(...groups)) return undefined;
  const freedom = error ** 4 / sum(errors.map((own, group) => own ** 2 / (groups[group]!.length - 1)));
  const half = (studentQuantile((1 + confidence) / 2, freedom) * error) / groups.length;
  return around(mean(groups.map(mean)), half);
}

/**
 * Interval of the mean over runs and rows that were both drawn, `values[run][row]`: Student's over runs, widened by what rows differ by
 * beyond chance, the component of variance that the analysis of two ways gives them (Searle, Casella & McCulloch, 1992). Never narrower than
 * over runs alone. Undefined below three runs or two rows, or where nothing differs but by rounding.
 */
export function runsAndRowsInterval(
  values: readonly (readonly number[])[],
  { confidence = 0.95 }: IntervalOptions = {},
): Interval | undefined {
  const [runs, rows] = [values.length, values[0]?.length ?? 0];
  if (runs < FEWEST_RUNS || rows < 2) return undefined;
  const ofRun = values.map(mean);
  const ofRow = values[0]!.map((_, row) => mean(values.map((run) => run[row]!)));
  const center = mean(ofRun);
  const left = values.flatMap((run, place) =>
    run.map((value, row) => (value - ofRun[place]! - ofRow[row]! + center) ** 2),
  );
  const chance = sum(left) / ((runs - 1) * (rows - 1));
  const quantile = (freedom: number): number => studentQuantile((1 + confidence) / 2, freedom);
  const byRuns = deviation(ofRun) ** 2 / runs;
  const beyond = deviation(ofRow) ** 2 - chance / runs;
  // What is left of equal numbers is rounding.
  const byRows = beyond > 1e-9 * (chance / runs) ? beyond / rows : 0;
  const half = Math.sqrt(quantile(runs - 1) ** 2 * byRuns + quantile(rows - 1) ** 2 * byRows);
  return half <= roundingOf(...values) ? undefined : around(center, half);
}

/**
 * What each row, or each of so many groups of rows (default 200; every 200th row is one), makes of a measure of them all: numbers whose mean is the
 * measure and whose spread over the root of their number is its standard error (the jackknife's pseudo-values; Tukey, 1958). `measure` is given
 * the rows that are left.
 */
export function jackknife(
  rows: number,
  measure: (rows: readonly number[]) => number,
  { groups: most = 200 }: { readonly groups?: number | undefined } = {},
): number[] {
  const groups = Math.min(rows, most);
  const all = Array.from({ length: rows }, (_, row) => row);
  const without = Array.from({ length: groups }, (_, group) =>
    measure(all.filter((row) => row % groups !== group)),
  );
  const center = mean(without);
  const whole = measure(all);
  return without.map((value) => whole + (groups - 1) * (center - value));
}

function around(center: number, half: number): Interval {
  return { low: center - half, high: center + half };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
