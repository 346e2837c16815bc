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
  const found = new Map<Cell, ReadonlyMap<string, readonly number[] | undefined>>();
  if (plan.seeds.length >= FEWEST_RUNS && plan.recipes.length > 1)
    for (const cell of cells) {
      const { key, task, run, metrics } = cell;
      if (metrics === undefined) continue;
      const lines = await store.predictions(key);
      const names = plan.tasks.find(({ name }) => name === task)!.metrics;
      found.set(cell, new Map(names.map((metric) => [metric, rowValues(lines, run!.record, metric)])));
    }
  return { cells, comparison: compareCells(plan, cells, (cell, metric) => found.get(cell)?.get(metric)) };
}
