import { type Cell, cellsOf, type ComparisonPlan } from '../store/plan.js';
import type { Store } from '../store/store.js';
import { compareCells, type Comparison, rightRows } from './comparison.js';

/** Everything that a store says of a plan, predictions read for the intervals over rows. */
export async function compareStored(
  store: Store,
  plan: ComparisonPlan,
): Promise<{ cells: Cell[]; comparison: Comparison }> {
  const cells = await cellsOf(store, plan);
  const right = new Map<string, readonly number[] | undefined>();
  for (const { key, metrics } of cells)
    if (metrics?.accuracy !== undefined && !right.has(key))
      right.set(key, rightRows(await store.predictions(key)));
  return { cells, comparison: compareCells(plan, cells, (key) => right.get(key)) };
}
