import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HypetuneError, type Task } from '@hypetune/core';
import { SourceError } from '@hypetune/models';
import type { Command } from 'commander';
import { writeWhole } from '../atomic.js';
import { type Config, readConfig, type TaskEntry } from '../config-file.js';
import { startEngine } from '../engine.js';
import { checkGrid, expandGrid } from '../grid.js';
import { onInterrupt } from '../interrupt.js';
import { type Methods, withMethods } from '../methods.js';
import {
  checkOptionsUsed,
  describeRecipe,
  type Grid,
  methodOptions,
  namedRecipe,
  type Recipe,
  recipeOf,
} from '../recipes.js';
import { comparisonText } from '../report/comparison-text.js';
import { compareStored } from '../report/stored-comparison.js';
import { noteTask } from '../report/figures.js';
import type { Settings } from '../settings.js';
import { DEFAULT_MODEL, prepare, type Setup } from '../setup.js';
import { runIdentity, type TaskIdentity, taskIdentity } from '../store/identity.js';
import { perform, type WantedRun } from '../store/perform.js';
import type { ComparisonPlan } from '../store/plan.js';
import { RETRY, type Shard, shardOf } from '../store/shard.js';
import { keyOf, Store } from '../store/store.js';
import { note, print, type Terminal, warnOnce } from '../terminal.js';
import { addSettingFlags, listFlag, repeatedFlag, settingsOf } from './flags.js';

interface CompareFlags {
  readonly config?: string;
  readonly recipes?: readonly string[];
  readonly option: readonly string[];
  readonly grid: readonly string[];
  readonly seeds?: string;
  readonly store?: string;
  readonly shard?: string;
  readonly retryFailed?: true;
  readonly json?: string;
}

const OWN = ['config', 'recipes', 'option', 'grid', 'seeds', 'store', 'shard', 'retryFailed', 'json'];
const RECIPES = ['vanilla', 'nodrop', 'hype', 'hype+r3f'];

export function addCompare(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program
    .command('compare')
    .description('fine-tune by several recipes, each with several seeds, and compare them')
    .option('--config <file>', 'settings and recipes from a .yaml, .json or .ts file; flags win over it')
    .option(
      '--recipes <stacks>',
      `recipes, the first is what the others are compared with (default: ${RECIPES.join(',')})`,
      listFlag,
    )
    .option(
      '--option <method.option=value>',
      'an option of a method in every recipe that has it',
      repeatedFlag,
      [],
    )
    .option(
      '--grid <method.option=values>',
      'go over values, as hype.scale=1e-5,1e-3 or learningRate=1e-5,5e-5: a recipe for each',
      repeatedFlag,
      [],
    )
    .option('--seeds <seeds>', 'how many, from 1, or a list as 3,5,8 (default: 3)')
    .option('--store <folder>', 'keep every run here as it ends, and do only those that are not there')
    .option(
      '--shard <i/n>',
      'do a part of the runs, as 2/8; auto in an array job of Slurm, AWS Batch or Kubernetes',
    )
    .option('--retry-failed', 'do runs again that failed')
    .option('--json <file>', 'write settings, every run and the comparison here; - prints them alone');
  addSettingFlags(command).action(async () => {
    done(await compare(command, terminal));
  });
}

async function compare(command: Command, terminal: Terminal): Promise<number> {
  const flags = command.opts<CompareFlags>();
  const settings = settingsOf(command, OWN);
  const file = flags.config === undefined ? {} : await readConfig(flags.config);
  if (file.recipe ?? file.seed)
    throw new HypetuneError(
      `${flags.config!}: 'recipe' and 'seed' are for hypetune train; compare has 'recipes' and 'seeds'.`,
    );
  const config: Config = { ...file, ...settings };
  const shard = flags.shard === undefined ? undefined : shardOf(flags.shard);
  if (shard && flags.store === undefined)
    throw new HypetuneError('--shard: the parts meet in a store; give --store a folder.');
  const recipes = recipesOf(config, flags, await withMethods(config.methods ?? []));
  const seeds = seedsOf(flags.seeds, config.seeds);
  const interrupt = onInterrupt(terminal);
  const temporary = flags.store === undefined ? await mkdtemp(join(tmpdir(), 'hypetune-runs-')) : undefined;
  try {
    const store = await Store.open(flags.store ?? join(temporary!, 'store'));
    const tasks: PreparedTask[] = [];
    for (const entry of taskEntries(config))
      tasks.push(await prepareTask(entry, config, terminal, interrupt.signal));
    checkNames(
      tasks.map(({ name }) => name),
      'tasks',
    );
    const engine = await startEngine(terminal, config.engine);
    for (const { setup } of tasks) noteTask(terminal, setup.task);
    for (const recipe of recipes) note(terminal, describeRecipe(recipe));
    const wanted = await wantedRuns({ tasks, recipes, seeds, engine, config, file: flags.config });
    const plan = planOf({ tasks, recipes, seeds, wanted });
    await store.keepPlan(plan);
    for (const { setup, identity } of tasks) {
      const rows = setup.task.test ?? setup.task.evaluation;
      await store.keepRows(identity.rows.test ?? identity.rows.validation, rows);
    }
    const share = partOf(wanted, shard);
    if (!temporary) await noteShare(store, share, wanted, terminal);
    const { troubles } = await perform(store, share, {
      ...{ terminal, signal: interrupt.signal, onWarning: warnOnce(terminal) },
      ...{ wait: shard === undefined, retryFailed: flags.retryFailed === true },
    });
    await show(store, plan, { tasks, config, engine, aborted: interrupt.signal.aborted, flags }, terminal);
    if (interrupt.signal.aborted) return 130;
    return troubles.length > 0 ? RETRY : 0;
  } catch (error) {
    // A part of many that a network or a disk stopped: doing it again may help.
    const { code } = error as NodeJS.ErrnoException;
    if (
      shard &&
      (error instanceof SourceError || (code !== undefined && !(error instanceof HypetuneError)))
    ) {
      note(terminal, `error: ${(error as Error).message}`);
      return RETRY;
    }
    throw error;
  } finally {
    interrupt.release();
    if (temporary) rmSync(temporary, { recursive: true, force: true });
  }
}

interface PreparedTask {
  readonly name: string;
  readonly settings: Settings;
  readonly setup: Setup;
  readonly identity: TaskIdentity;
}

/** The tasks that were asked for, as the settings that differ. */
function taskEntries({ tasks, task }: Config): readonly TaskEntry[] {
  if (tasks) return tasks.map((entry) => (typeof entry === 'string' ? { task: entry } : entry));
  if (task?.includes(',')) return task.split(',').map((name) => ({ task: name.trim() }));
  return [{}];
}

async function prepareTask(
  { name, ...entry }: TaskEntry,
  config: Config,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<PreparedTask> {
  const settings: Settings = { ...config, ...entry };
  const setup = await prepare(settings, terminal, signal);
  const identity = await taskIdentity(setup);
  return { name: name ?? setup.task.name, settings, setup, identity };
}

interface Wants {
  readonly tasks: readonly PreparedTask[];
  readonly recipes: readonly Recipe[];
  readonly seeds: readonly number[];
}

type NamedRun = WantedRun & { readonly task: string };

/** Every run, seed by seed, so that a comparison that is not done yet has whole pairs. */
async function wantedRuns(
  wants: Wants & { readonly engine: string; readonly config: Config; readonly file: string | undefined },
): Promise<NamedRun[]> {
  const { tasks, recipes, seeds, engine, config, file } = wants;
  const isCode = file !== undefined && /\.[cm]?[tj]s$/.test(file);
  const modules = [...(config.methods ?? []), ...(isCode ? [file] : [])];
  const runs: NamedRun[] = [];
  for (const seed of seeds)
    for (const { name, setup, settings, identity: task } of tasks)
      for (const recipe of recipes) {
        const identity = await runIdentity({ task, recipe, settings, seed, engine, modules });
        runs.push({ key: keyOf(identity), identity, setup, settings, recipe, seed, task: name });
      }
  return runs;
}

function planOf({
  tasks,
  recipes,
  seeds,
  wanted,
}: Wants & { readonly wanted: readonly NamedRun[] }): ComparisonPlan {
  return {
    version: 1,
    command: commandLine(process.argv.slice(2)),
    recipes: recipes.map((recipe) => ({
      ...{
        name: recipe.name,
        family: recipe.family,
        description: describeRecipe(recipe),
        entry: recipe.entry,
      },
    })),
    tasks: tasks.map(({ name, setup: { task }, settings, identity }) => ({
      ...{ name, metrics: task.metrics, model: settings.model ?? DEFAULT_MODEL },
      rows: { train: task.train.length, validation: task.evaluation.length, test: task.test?.length },
      measured: identity.rows.test ?? identity.rows.validation,
    })),
    seeds,
    runs: wanted.map(({ recipe, task, seed, key }) => ({ recipe: recipe.name, task, seed, key })),
  };
}

/** What was typed, without what differs from part to part. */
export function commandLine(argv: readonly string[]): string[] {
  const at = argv.findIndex((word) => word === '--shard');
  const whole = at === -1 ? argv : argv.filter((_, place) => place !== at && place !== at + 1);
  return ['hypetune', ...whole.filter((word) => !word.startsWith('--shard='))];
}

function partOf(wanted: readonly NamedRun[], shard: Shard | undefined): readonly NamedRun[] {
  return shard ? wanted.filter((_, place) => place % shard.count === shard.index) : wanted;
}

async function noteShare(
  store: Store,
  share: readonly NamedRun[],
  all: readonly NamedRun[],
  terminal: Terminal,
): Promise<void> {
  let there = 0;
  for (const { key } of share) if (await store.has(key)) there += 1;
  const part = share.length < all.length ? ` (of ${all.length} in all)` : '';
  note(terminal, `${share.length} runs${part}, ${there} of them are in ${store.folder} already`);
}

interface Shown {
  readonly tasks: readonly PreparedTask[];
  readonly config: Config;
  readonly engine: string;
  readonly aborted: boolean;
  readonly flags: CompareFlags;
}

async function show(
  store: Store,
  plan: ComparisonPlan,
  { tasks, config, engine, aborted, flags: { json } }: Shown,
  terminal: Terminal,
): Promise<void> {
  const taskOf = (name: string): Task | undefined =>
    tasks.find((task) => task.name === name)?.setup.task.task;
  const { cells, comparison } = await compareStored(store, plan, taskOf);
  const some = cells.some(({ run }) => run !== undefined);
  const written = JSON.stringify(
    {
      ...{
        version: 2,
        engine,
        settings: { ...config, recipes: undefined, tasks: undefined, grid: undefined },
      },
      complete: !aborted && comparison.missing.length === 0,
      recipes: plan.recipes.map(({ name, family, entry }) => ({ ...entry, name, family })),
      tasks: plan.tasks,
      runs: cells
        .filter(({ run }) => run !== undefined)
        .map(({ recipe, task, seed, key, run, metrics }) => ({
          ...{ recipe, task, seed, key, status: run!.record.status, why: run!.record.why, metrics },
          ...{ loss: (run!.record.test ?? run!.record.validation)?.loss, trainLoss: run!.record.trainLoss },
          ...{ steps: run!.record.steps, ...run!.cost },
        })),
      comparison: comparison.figures,
      across: comparison.across,
    },
    null,
    2,
  );
  if (json === '-') print(terminal, written);
  else if (some) print(terminal, comparisonText(plan, cells, comparison));
  if (json !== undefined && json !== '-') await writeWhole(json, `${written}\n`);
}

function recipesOf(config: Config, flags: CompareFlags, known: Methods): Recipe[] {
  const options = methodOptions(flags.option, known);
  const entries = flags.recipes ?? config.recipes ?? RECIPES;
  const recipes = entries.map((entry) =>
    typeof entry === 'string' ? namedRecipe(entry, options, known) : recipeOf(entry, { known }),
  );
  checkOptionsUsed(options, recipes);
  const grid = { ...config.grid, ...gridOf(flags.grid) };
  checkGrid(grid, recipes, known);
  const points = recipes.flatMap((recipe) => expandGrid(recipe, grid, known));
  checkNames(
    points.map(({ name }) => name),
    'recipes',
  );
  return points;
}

/** Reads `hype.scale=1e-5,1e-3`. */
function gridOf(texts: readonly string[]): Grid {
  return Object.fromEntries(
    texts.map((text) => {
      const [, axis, values] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
      if (axis === undefined)
        throw new HypetuneError(`--grid: must be written name=value,value, got '${text}'.`);
      return [axis, values!.split(',').map(readValue)];
    }),
  );
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function checkNames(names: readonly string[], what: 'recipes' | 'tasks'): void {
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined)
    throw new HypetuneError(`--${what}: '${twice}' stands there twice; give each a name of its own.`);
}

function seedsOf(
  flag: string | undefined,
  config: number | readonly number[] | undefined,
): readonly number[] {
  const texts = flag?.split(',');
  // `3` is three seeds, `3,` is seed 3 alone.
  const list = texts?.at(-1)?.trim() === '' ? texts.slice(0, -1) : texts;
  const numbers = list?.map((text) => (/^\s*\d+\s*$/.test(text) ? Number(text) : NaN));
  const seeds = texts?.length === 1 ? numbers![0]! : (numbers ?? config ?? 3);
  const found =
    typeof seeds === 'number' ? Array.from({ length: seeds || 0 }, (_, place) => place + 1) : seeds;
  if (found.length > 0 && found.every(Number.isSafeInteger) && new Set(found).size === found.length)
    return found;
  throw new HypetuneError(
    `--seeds: must be a number of seeds or different seeds as 3,5,8, got '${flag ?? String(config)}'.`,
  );
}
