import { mean, sortedQuantile } from './describe.js';
import { pick, type Random, seeded } from './random.js';

/** A range that holds a value with the confidence that was asked for. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** Share of such intervals that hold the value (default 0.95). */
  readonly confidence?: number | undefined;
  /** Resamplings (default 2000). */
  readonly draws?: number | undefined;
  /** Numbers to draw with (default: those of seed 0). */
  readonly random?: Random | undefined;
}

/** Runs below which nothing is said of how far runs lie apart: neither interval nor test. */
export const FEWEST_RUNS = 3;

/** Percentile bootstrap of a statistic over runs; undefined below three runs. With few runs it is too narrow. */
export function bootstrapInterval(
  values: readonly number[],
  statistic: (values: readonly number[]) => number = mean,
  options: BootstrapOptions = {},
): Interval | undefined {
  return stratifiedInterval([values], ([sample]) => statistic(sample!), options);
}

/**
 * Percentile bootstrap of a statistic of several groups (the tasks), whose runs are drawn apart, as by rliable (Agarwal et
 * al., 2021); undefined where a group has fewer than three runs.
 */
export function stratifiedInterval(
  groups: readonly (readonly number[])[],
  statistic: (groups: readonly (readonly number[])[]) => number,
  options: BootstrapOptions = {},
): Interval | undefined {
  if (groups.length === 0 || groups.some(({ length }) => length < FEWEST_RUNS)) return undefined;
  return intervalOf(options, (random) =>
    statistic(groups.map((values) => values.map(() => values[pick(random, values.length)]!))),
  );
}

/** How a statistic depends on the runs and the rows that were drawn: places of both, some several times. */
export type RunsAndRows = (runs: readonly number[], rows: readonly number[]) => number;

/**
 * Bootstrap over runs and the rows measured on together (Multi-Bootstrap; Sellam et al., 2022): how sure a number is of new
 * seeds and new rows alike. Undefined below three runs or two rows.
 */
export function multiBootstrapInterval(
  runs: number,
  rows: number,
  statistic: RunsAndRows,
  options: BootstrapOptions = {},
): Interval | undefined {
  if (runs < FEWEST_RUNS || rows < 2) return undefined;
  const drawn = (random: Random, count: number): number[] =>
    Array.from({ length: count }, () => pick(random, count));
  return intervalOf(options, (random) => statistic(drawn(random, runs), drawn(random, rows)));
}

function intervalOf(
  { confidence = 0.95, draws = 2000, random = seeded(0) }: BootstrapOptions,
  sample: (random: Random) => number,
): Interval {
  const values = Array.from({ length: draws }, () => sample(random)).sort((a, b) => a - b);
  const tail = (1 - confidence) / 2;
  return { low: sortedQuantile(values, tail), high: sortedQuantile(values, 1 - tail) };
}
