import { FEWEST_RUNS } from '@hypetune/statistics';
import { type Cell, cellsOf, type ComparisonPlan } from '../store/plan.js';
import type { Store } from '../store/store.js';
import { compareCells, type Comparison } from './comparison.js';
import { rowValues } from './intervals.js';

/** Everything that a store says of a plan, predictions read for the intervals over rows where there are seeds enough. */
export async function compareStored(
  store: Store,
  plan: ComparisonPlan,
): Promise<{ cells: Cell[]; comparison: Comparison }> {
  const cells = await cellsOf(store, plan);
  const found = new Map<string, Map<string, readonly number[] | undefined>>();
  if (plan.seeds.length >= FEWEST_RUNS && plan.recipes.length > 1)
    for (const { key, task, run, metrics } of cells) {
      if (metrics === undefined || found.has(placeOf(task, key))) continue;
      const lines = await store.predictions(key);
      const names = plan.tasks.find(({ name }) => name === task)!.metrics;
      found.set(
        placeOf(task, key),
        new Map(names.map((metric) => [metric, rowValues(lines, run!.record, metric)])),
      );
    }
  return {
    cells,
    comparison: compareCells(plan, cells, ({ task, key }, metric) =>
      found.get(placeOf(task, key))?.get(metric),
    ),
  };
}

/** A run by the task that it is of: of two that differ in metrics alone the runs are the same. */
const placeOf = (task: string, key: string): string => JSON.stringify([task, key]);
