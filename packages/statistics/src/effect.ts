import { differences, mean, pairedDeviation } from './describe.js';
import { FEWEST_RUNS } from './intervals.js';

/** Mean of `b - a` in deviations of the differences (Cohen's d of pairs); undefined below three pairs or without spread. */
export function effectSize(a: readonly number[], b: readonly number[]): number | undefined {
  const pairs = differences(a, b);
  const spread = pairedDeviation(a, b);
  return pairs.length < FEWEST_RUNS || spread === 0 ? undefined : mean(pairs) / spread;
}

/** Probability that a run of b is better than a run of a, equal ones counted half (Mann and Whitney's U over all pairs). */
export function probabilityOfImprovement(a: readonly number[], b: readonly number[]): number {
  const wins = b.map((value) =>
    a.reduce((sum, other) => sum + (value > other ? 1 : value === other ? 0.5 : 0), 0),
  );
  return mean(wins) / a.length;
}
