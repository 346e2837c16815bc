import { mean, ranks, roundingOf } from './describe.js';
import { type BootstrapOptions, stratifiedInterval } from './bootstrap.js';
import { probabilityOfImprovement } from './effect.js';
import type { Interval } from './intervals.js';

/** The average rank of each recipe over tasks, 1 the best; `scores[task][recipe]`, the higher the better. */
export function averageRank(scores: readonly (readonly number[])[]): number[] {
  const ranked = scores.map((task) =>
    ranks(
      task.map((score) => -score),
      roundingOf(task),
    ),
  );
  return (scores[0] ?? []).map((_, recipe) => mean(ranked.map((task) => task[recipe]!)));
}

/** A number over all tasks, with its interval over runs. */
export interface Aggregate {
  readonly value: number;
  /** Absent where a task has fewer than three runs. */
  readonly interval: Interval | undefined;
}

/** A statistic of the runs of all tasks, `scores[task][run]` (default: the mean of the tasks' means), and its stratified bootstrap. */
export function aggregate(
  scores: readonly (readonly number[])[],
  statistic: (scores: readonly (readonly number[])[]) => number = (tasks) => mean(tasks.map(mean)),
  options: BootstrapOptions = {},
): Aggregate {
  return { value: statistic(scores), interval: stratifiedInterval(scores, statistic, options) };
}

/** Mean over tasks of the probability that a run of b is better than one of a. */
export function improvementAcrossTasks(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
): number {
  return mean(a.map((runs, task) => probabilityOfImprovement(runs, b[task]!)));
}
