import { METRIC_NAMES, namedMetric } from '@hypetune/core';
import type { RecipeData } from '../recipes.js';
import { type Measured, measuredOf } from './record.js';
import type { Store, StoredRun } from './store.js';

/** What a comparison asks for: which runs it is made of, and what they are called. */
export interface ComparisonPlan {
  readonly version: 1;
  /** What makes it again. */
  readonly command: readonly string[];
  /** In order; the first is what the others are compared with. */
  readonly recipes: readonly {
    readonly name: string;
    /** The recipe whose grid it is a point of. */
    readonly family: string;
    /** One line: methods and options. */
    readonly description: string;
    readonly entry?: RecipeData | undefined;
  }[];
  readonly tasks: readonly {
    readonly name: string;
    /** The task whose rows these are a part of, where a grid goes over how many. */
    readonly family?: string | undefined;
    /** The first is the one compared by. */
    readonly metrics: readonly string[];
    /** Those of another's of which less is better. */
    readonly lessIsBetter?: readonly string[] | undefined;
    readonly model: string;
    readonly rows: {
      readonly train: number;
      readonly validation: number;
      readonly test?: number | undefined;
    };
    /** Hash of the rows reported on. */
    readonly measured: string;
  }[];
  readonly seeds: readonly number[];
  readonly runs: readonly {
    readonly recipe: string;
    readonly task: string;
    readonly seed: number;
    readonly key: string;
  }[];
}

/** A run of a comparison; without `run` it is not done yet. */
export interface Cell {
  readonly recipe: string;
  readonly task: string;
  readonly seed: number;
  readonly key: string;
  readonly run?: StoredRun | undefined;
  /** The loss and the metrics of the rows reported on; undefined where it failed or is not done. */
  readonly metrics?: Readonly<Record<string, number>> | undefined;
  /** Metrics of the rows that choose. */
  readonly choosing?: Readonly<Record<string, number>> | undefined;
}

/** What a store knows of the runs of a plan. */
export async function cellsOf(store: Store, plan: ComparisonPlan): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const place of plan.runs) {
    const run = (await store.has(place.key)) ? await store.read(place.key) : undefined;
    const figures = (measured: Measured | undefined): Cell['metrics'] =>
      measured && { loss: measured.loss, ...measured.metrics };
    cells.push({
      ...{ ...place, run, metrics: figures(run && measuredOf(run.record)) },
      choosing: figures(run?.record.validation),
    });
  }
  return cells;
}

/** Several plans as one, the first deciding the order and what the others are compared with. */
export function joinPlans(plans: readonly ComparisonPlan[]): ComparisonPlan {
  const [first, ...others] = plans as [ComparisonPlan, ...ComparisonPlan[]];
  return others.reduce((joined, plan) => {
    const recipes = added(joined.recipes, plan.recipes, ({ name }) => name);
    const tasks = added(joined.tasks, plan.tasks, ({ name }) => name);
    const runs = added(joined.runs, plan.runs, ({ recipe, task, seed }) =>
      JSON.stringify([recipe, task, seed]),
    );
    const seeds = added(joined.seeds, plan.seeds, String);
    return { ...joined, recipes, tasks, runs, seeds };
  }, first);
}

function added<T>(have: readonly T[], more: readonly T[], nameOf: (item: T) => string): T[] {
  const names = new Set(have.map(nameOf));
  return [...have, ...more.filter((item) => !names.has(nameOf(item)))];
}

/** Whether more of a metric is better. */
export function greaterIsBetter(metric: string, { tasks }: Pick<ComparisonPlan, 'tasks'>): boolean {
  if ((METRIC_NAMES as readonly string[]).includes(metric)) return namedMetric(metric).greaterIsBetter;
  return metric !== 'loss' && !tasks.some(({ lessIsBetter = [] }) => lessIsBetter.includes(metric));
}
