import { ascending, mean, sortedQuantile } from './describe.js';
import { FEWEST_RUNS, type Interval, type IntervalOptions } from './intervals.js';
import { pick, type Random, seeded } from './random.js';

export interface BootstrapOptions extends IntervalOptions {
  /** Resamplings (default 2000). */
  readonly draws?: number | undefined;
  /** Numbers to draw with (default: those of seed 0). */
  readonly random?: Random | undefined;
}

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
  const { confidence = 0.95, draws = 2000, random = seeded(0) } = options;
  const drawn = Array.from({ length: draws }, () =>
    statistic(groups.map((values) => values.map(() => values[pick(random, values.length)]!))),
  );
  const sorted = ascending(drawn);
  const tail = (1 - confidence) / 2;
  return { low: sortedQuantile(sorted, tail), high: sortedQuantile(sorted, 1 - tail) };
}
