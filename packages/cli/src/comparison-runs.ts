import { resolve } from 'node:path';
import { HypetuneError, type Metric } from '@hypetune/core';
import type { Command } from 'commander';
import type { Config, TaskEntry } from './config-file.js';
import { metricName } from './methods.js';
import { describeRecipe, type Recipe } from './recipes.js';
import { rowPoints } from './grid.js';
import { ROW_SETTINGS, type Settings, settingsWith } from './settings.js';
import {
  checkModel,
  checkOneSource,
  checkPatience,
  checkSettings,
  DEFAULT_MODEL,
  prepare,
  type Setup,
} from './setup.js';
import { runIdentity, type TaskIdentity, taskIdentity } from './store/identity.js';
import type { WantedRun } from './store/perform.js';
import type { ComparisonPlan } from './store/plan.js';
import { keyOf, type Store } from './store/store.js';
import type { Terminal } from './terminal.js';

/** A task read, tokenized and hashed. */
export interface PreparedTask {
  readonly name: string;
  /** The task that it is a point of a grid of; its own name if there is no grid over rows. */
  readonly family: string;
  readonly settings: Settings;
  readonly setup: Setup;
  readonly identity: TaskIdentity;
}

/** The tasks that were asked for, as the settings that differ; of a grid over rows, one for each of its points. */
function taskEntries(config: Config): readonly TaskEntry[] {
  const points = rowPoints(config.grid);
  return namedEntries(config).flatMap((entry) => points.map((point) => ({ ...entry, ...point })));
}

function namedEntries({ tasks, task }: Config): readonly TaskEntry[] {
  if (tasks) return tasks.map((entry) => (typeof entry === 'string' ? { task: entry } : entry));
  if (task?.includes(',')) return task.split(',').map((name) => ({ task: name.trim() }));
  return [{}];
}

/** Throws where what is asked for contradicts itself or names what is not there, before any row is read. */
export async function checkAsked(config: Config, recipes: readonly Recipe[]): Promise<void> {
  const entries = taskEntries(config);
  if (!config.tasks) checkOneSource(config);
  // Columns and labels are for tables: where some task is one, they are that one's alone.
  const hasTable = entries.some((entry) => settingsWith<Settings>(config, entry).train !== undefined);
  for (const entry of entries) {
    const settings = settingsWith<Settings>(config, entry);
    await checkSettings(hasTable ? settings : { ...config, ...entry });
    for (const recipe of recipes) checkPatience(settingsWith(settings, recipe.settings));
  }
  for (const name of recipes.flatMap(({ models }) => models)) await checkModel(name);
}

/** Reads a task; every mistake in its data is found here. */
export async function comparedTask(
  { name, ...entry }: TaskEntry,
  config: Config,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<PreparedTask> {
  const settings = settingsWith<Settings>(config, entry);
  const setup = await prepare(settings, terminal, signal);
  const identity = await taskIdentity(setup);
  const family = name ?? setup.task.name;
  const point = ROW_SETTINGS.filter((axis) => config.grid?.[axis]).map(
    (axis) => `${axis}=${settings[axis]!}`,
  );
  return { name: [family, ...point].join(' '), family, settings, setup, identity };
}

/** Reads every task that was asked for. Throws where two have one name. */
export async function prepareTasks(
  config: Config,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<PreparedTask[]> {
  const tasks: PreparedTask[] = [];
  for (const entry of taskEntries(config)) tasks.push(await comparedTask(entry, config, terminal, signal));
  checkNames(
    tasks.map(({ name }) => name),
    'tasks',
  );
  return tasks;
}

/** What a comparison is made of. */
export interface Wants {
  readonly tasks: readonly PreparedTask[];
  readonly recipes: readonly Recipe[];
  readonly seeds: readonly number[];
}

/** A run and the files of code that it is made with. */
export interface NamedRun extends WantedRun {
  /** Modules that bring methods and metrics. */
  readonly methods: readonly string[];
  /** They, and the config where it is code: what is hashed. */
  readonly modules: readonly string[];
}

/**
 * Seeds of a recipe that follow one another. A process keeps 64 compiled steps, a recipe has about a dozen a task: with many recipes
 * each would be compiled anew at every seed.
 */
const SEEDS_TOGETHER = 5;

/** Every run, in rounds of a few seeds, so that a comparison that is not done yet has whole pairs. Throws where code makes two recipes that nothing tells apart. */
export async function wantedRuns(
  wants: Wants & { readonly engine: string; readonly config: Config; readonly file: string | undefined },
): Promise<NamedRun[]> {
  const { tasks, recipes, seeds, engine, config, file } = wants;
  const isCode = file !== undefined && /\.[cm]?[tj]s$/.test(file);
  const { methods = [] } = config;
  // A worker elsewhere reads them, too.
  const modules = [...methods, ...(isCode ? [resolve(file)] : [])];
  const runs: NamedRun[] = [];
  for (const round of rounds(seeds))
    for (const { name, setup, settings, identity: task } of tasks)
      for (const recipe of recipes)
        for (const seed of round) {
          const identity = await runIdentity({ task, recipe, settings, seed, engine, modules });
          const key = keyOf(identity);
          runs.push({ key, identity, setup, settings, recipe, seed, task: name, methods, modules });
        }
  checkToldApart(runs);
  return runs;
}

/** Throws where recipes share a run of which one is code: what its closures hold is in no key. */
function checkToldApart(runs: readonly NamedRun[]): void {
  const first = new Map<string, NamedRun>();
  for (const run of runs) {
    const { recipe } = first.get(run.key) ?? run;
    first.set(run.key, first.get(run.key) ?? run);
    if (recipe === run.recipe || (recipe.entry && run.recipe.entry)) continue;
    throw new HypetuneError(
      `recipes '${recipe.name}' and '${run.recipe.name}': code makes their plugins, which have the same names, so that their runs cannot be told apart; give each plugin a name of its own, or write it by defineMethod with options.`,
    );
  }
}

function rounds(seeds: readonly number[]): number[][] {
  return Array.from({ length: Math.ceil(seeds.length / SEEDS_TOGETHER) }, (_, round) =>
    seeds.slice(round * SEEDS_TOGETHER, (round + 1) * SEEDS_TOGETHER),
  );
}

/** What was asked for, as the store keeps it. */
export function planOf(
  command: Command,
  { tasks, recipes, seeds, wanted }: Wants & { readonly wanted: readonly NamedRun[] },
): ComparisonPlan {
  return {
    version: 1,
    command: commandLine((command.parent as Command & { readonly rawArgs: readonly string[] }).rawArgs),
    recipes: recipes.map((recipe) => ({
      ...{
        name: recipe.name,
        family: recipe.family,
        description: describeRecipe(recipe),
        entry: recipe.entry,
      },
    })),
    tasks: tasks.map(({ name, family, setup: { task }, settings, identity }) => ({
      ...{
        name,
        ...(family !== name && { family }),
        metrics: task.metrics.map(metricName),
        ...lessIsBetter(task.metrics),
      },
      model: settings.model ?? DEFAULT_MODEL,
      rows: { train: task.train.length, validation: task.evaluation.length, test: task.test?.length },
      measured: identity.rows.test ?? identity.rows.validation,
    })),
    seeds,
    runs: wanted.map(({ recipe, task, seed, key }) => ({ recipe: recipe.name, task, seed, key })),
  };
}

function lessIsBetter(metrics: readonly (string | Metric)[]): { readonly lessIsBetter?: string[] } {
  const own = metrics.flatMap((metric) =>
    typeof metric === 'string' || metric.greaterIsBetter ? [] : [metric.name],
  );
  return own.length > 0 ? { lessIsBetter: own } : {};
}

/** Flags that say who does the runs, not which; a queue's address may hold a password. */
const WHERE = ['--shard', '--queue', '--queue-name'];

/** What was typed, without what says who does the runs. */
export function commandLine(argv: readonly string[]): string[] {
  const own = argv.filter((word, place) => !WHERE.includes(word) && !WHERE.includes(argv[place - 1] ?? ''));
  return ['hypetune', ...own.filter((word) => !WHERE.some((flag) => word.startsWith(`${flag}=`)))];
}

/** Throws where a name stands twice. */
export function checkNames(names: readonly string[], what: 'recipes' | 'tasks'): void {
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined)
    throw new HypetuneError(`--${what}: '${twice}' stands there twice; give each a name of its own.`);
}

/** Keeps the rows that are measured, for reports. */
export async function keepMeasuredRows(store: Store, tasks: readonly PreparedTask[]): Promise<void> {
  for (const { setup, identity } of tasks)
    await store.keepRows(
      identity.rows.test ?? identity.rows.validation,
      setup.task.test ?? setup.task.evaluation,
    );
}
