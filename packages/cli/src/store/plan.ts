import { HypetuneError, METRIC_NAMES, namedMetric } from '@hypetune/core';
import type { RecipeData } from '../recipes.js';
import { canonicalJson } from './canonical.js';
import { type Measured, measuredOf, numbersIn } from './record.js';
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
  /** The loss and the metrics of the rows reported on, those that are numbers; undefined where it failed or is not done. */
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
      measured && numbersIn({ loss: measured.loss, ...measured.metrics });
    cells.push({
      ...{ ...place, run, metrics: figures(run && measuredOf(run.record)) },
      choosing: figures(run?.record.validation),
    });
  }
  return cells;
}

/**
 * The plans of a store as one: the latest decides the order and what the others are compared with. Plans whose runs cannot be set beside
 * its own, for other settings, rows, weights or code, are left out. Throws where there is none.
 */
export async function joinedPlan(
  store: Store,
): Promise<{ readonly plan: ComparisonPlan; readonly leftOut: readonly ComparisonPlan[] }> {
  const [latest, ...others] = await store.plans<ComparisonPlan>();
  if (latest === undefined)
    throw new HypetuneError(`${store.folder}: no comparison was begun with this store.`);
  const leftOut: ComparisonPlan[] = [];
  let plan = latest;
  const read = new Map<string, Ground | undefined>();
  let grounds = await groundsOf(store, plan, read);
  for (const other of others) {
    const theirs = await groundsOf(store, other, read);
    if (changedRun(plan, other) || !agree(grounds, theirs) || otherRecipe(plan, grounds, other, theirs)) {
      leftOut.push(other);
      continue;
    }
    plan = join(plan, other);
    grounds = await groundsOf(store, plan, read);
  }
  return { plan, leftOut };
}

type Run = ComparisonPlan['runs'][number];

/** A run of the same recipe, task and seed that is another one in a later plan: beside each other they would be no pairs. */
export function changedRun(kept: ComparisonPlan, later: ComparisonPlan): Run | undefined {
  const nameOf = ({ recipe, task, seed }: Run): string => JSON.stringify([recipe, task, seed]);
  const keys = new Map(kept.runs.map((run) => [nameOf(run), run.key]));
  return later.runs.find((run) => (keys.get(nameOf(run)) ?? run.key) !== run.key);
}

/** Whether a recipe is written otherwise in another plan under the same name, while runs of both that would tell are not there. */
function otherRecipe(one: ComparisonPlan, done: Grounds, two: ComparisonPlan, theirs: Grounds): boolean {
  const isIn = (grounds: Grounds, recipe: string): boolean =>
    [...grounds.values()].some((recipes) => recipes.has(recipe));
  const keys = new Set(one.runs.map(({ key }) => key));
  const shared = new Set(two.runs.filter(({ key }) => keys.has(key)).map(({ recipe }) => recipe));
  const entries = new Map(one.recipes.map(({ name, entry }) => [name, entry]));
  return two.recipes.some(({ name, entry }) => {
    const own = entries.get(name);
    if (!own || !entry || shared.has(name) || (isIn(done, name) && isIn(theirs, name))) return false;
    return canonicalJson(own) !== canonicalJson(entry);
  });
}

function join(plan: ComparisonPlan, other: ComparisonPlan): ComparisonPlan {
  const recipes = added(plan.recipes, other.recipes, ({ name }) => name);
  const tasks = added(plan.tasks, other.tasks, ({ name }) => name);
  const runs = added(plan.runs, other.runs, ({ recipe, task, seed }) => JSON.stringify([recipe, task, seed]));
  const seeds = added(plan.seeds, other.seeds, String);
  return { ...plan, recipes, tasks, runs, seeds };
}

/** What a run is made of: all of it, and what is not the recipe's. */
interface Ground {
  readonly whole: string;
  readonly shared: string;
}

/** What the runs that are done are made of, by task and recipe. */
type Grounds = ReadonlyMap<string, ReadonlyMap<string, Ground>>;

/** `read`: what was read of runs before, by key; undefined of those that are not done. */
async function groundsOf(
  store: Store,
  { runs }: ComparisonPlan,
  read: Map<string, Ground | undefined>,
): Promise<Grounds> {
  const grounds = new Map<string, Map<string, Ground>>();
  for (const { task, recipe, key } of runs) {
    const recipes = grounds.get(task) ?? new Map<string, Ground>();
    grounds.set(task, recipes);
    if (recipes.has(recipe)) continue;
    if (!read.has(key)) read.set(key, await groundOf(store, key));
    const ground = read.get(key);
    if (ground) recipes.set(recipe, ground);
  }
  return grounds;
}

/** Of one run; undefined where it is not done. */
async function groundOf(store: Store, key: string): Promise<Ground | undefined> {
  if (!(await store.has(key))) return undefined;
  const whole = { ...(await store.read(key)).record.identity, seed: undefined };
  const shared = { ...whole, recipe: undefined };
  return { whole: canonicalJson(whole), shared: canonicalJson(shared) };
}

/** Whether runs of two plans can be pairs: a recipe that both have is the same in both, and of each task some runs are alike but for the recipe. */
function agree(one: Grounds, two: Grounds): boolean {
  for (const [task, recipes] of one) {
    const others = two.get(task);
    if (!others || others.size === 0 || recipes.size === 0) continue;
    for (const [recipe, { whole }] of recipes)
      if (others.has(recipe) && others.get(recipe)!.whole !== whole) return false;
    const shared = new Set([...recipes.values()].map((ground) => ground.shared));
    if (![...others.values()].some((ground) => shared.has(ground.shared))) return false;
  }
  return true;
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
