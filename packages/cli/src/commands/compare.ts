import { HypetuneError } from '@hypetune/core';
import { SourceError } from '@hypetune/models';
import type { Command } from 'commander';
import { checkOutputFile, writeWhole } from '../atomic.js';
import {
  checkAsked,
  checkNames,
  keepMeasuredRows,
  type NamedRun,
  planOf,
  prepareTasks,
  wantedRuns,
} from '../comparison-runs.js';
import { type Config, readConfig, withFlags } from '../config-file.js';
import { engineOf } from '../engine.js';
import { checkGrid, expandGrid } from '../grid.js';
import { onInterrupt } from '../interrupt.js';
import { type Methods, openModules, withMetrics } from '../methods.js';
import {
  checkOptionsUsed,
  describeRecipe,
  type Grid,
  type MethodOptions,
  methodOptions,
  namedRecipe,
  type Recipe,
  recipeOf,
} from '../recipes.js';
import { comparisonText } from '../report/comparison-text.js';
import { comparisonData } from '../report/formats.js';
import { compareStored } from '../report/stored-comparison.js';
import { noteTask } from '../report/figures.js';
import { performer } from '../queue/perform-on-queue.js';
import type { PerformOptions } from '../store/perform.js';
import type { ComparisonPlan } from '../store/plan.js';
import { RETRY, type Shard, shardOf } from '../store/shard.js';
import { Store } from '../store/store.js';
import { note, print, type Terminal, warnOnce } from '../terminal.js';
import {
  addQueueFlags,
  addSettingFlags,
  listFlag,
  type QueueFlags,
  queueOf,
  repeatedFlag,
  settingsOf,
  storeFlag,
} from './flags.js';

interface CompareFlags extends QueueFlags {
  readonly config?: string;
  readonly recipes?: readonly string[];
  readonly option: readonly string[];
  readonly grid: readonly string[];
  readonly seeds?: string;
  readonly store: string;
  readonly shard?: string;
  readonly retryFailed?: true;
  readonly json?: string;
}

const OWN = [
  ...['config', 'recipes', 'option', 'grid', 'seeds', 'store'],
  ...['shard', 'queue', 'queueName', 'retryFailed', 'json'],
];
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
    .addOption(storeFlag('keep every run here as it ends, and do only those that are not there'))
    .option(
      '--shard <i/n>',
      'do a part of the runs, as 2/8; auto in an array job of Slurm, AWS Batch or Kubernetes',
    )
    .option('--retry-failed', 'do runs again that failed')
    .option('--json <file>', 'write settings, every run and the comparison here; - prints them alone');
  addQueueFlags(command, 'leave the runs to workers on a Redis');
  addSettingFlags(command).action(async () => {
    done(await compare(command, terminal));
  });
}

async function compare(command: Command, terminal: Terminal): Promise<number> {
  const flags = command.opts<CompareFlags>();
  const settings = settingsOf(command, OWN);
  const { recipe, seed, ...file }: Config = flags.config === undefined ? {} : await readConfig(flags.config);
  const isUnused = (one: unknown, many: unknown): boolean => one !== undefined && many === undefined;
  if (isUnused(recipe, flags.recipes) || isUnused(seed, flags.seeds))
    throw new HypetuneError(
      `${flags.config!}: 'recipe' and 'seed' are for hypetune train; compare has 'recipes' and 'seeds', or give --recipes and --seeds.`,
    );
  if (settings.keepLast !== undefined)
    throw new HypetuneError(
      '--keep-last: is for hypetune train; compare keeps the records of runs, no models.',
    );
  const config: Config = { ...withFlags(file, settings), grid: { ...file.grid, ...gridOf(flags.grid) } };
  const shard = flags.shard === undefined ? undefined : shardOf(flags.shard);
  if (shard && flags.queue !== undefined)
    throw new HypetuneError('--queue: the workers share the runs; leave --shard out.');
  const queue = queueOf(flags);
  const modules = await openModules(config.methods);
  const recipes = recipesOf(config, flags, modules.methods);
  const measured = withMetrics(config, modules);
  const seeds = seedsOf(flags.seeds, config.seeds);
  if (flags.json !== undefined && flags.json !== '-') await checkOutputFile(flags.json, '--json');
  await checkAsked(measured, recipes);
  const interrupt = onInterrupt(terminal);
  try {
    const store = await Store.open(flags.store);
    const engine = await engineOf(config, queue !== undefined, terminal);
    const tasks = await prepareTasks(measured, terminal, interrupt.signal);
    for (const { setup } of tasks) noteTask(terminal, setup.task);
    for (const recipe of recipes) note(terminal, describeRecipe(recipe));
    const wanted = await wantedRuns({ tasks, recipes, seeds, engine, config, file: flags.config });
    const plan = planOf(command, { tasks, recipes, seeds, wanted });
    await store.keepPlan(plan);
    await keepMeasuredRows(store, tasks);
    const share = partOf(wanted, shard);
    await noteShare(store, share, wanted, terminal);
    const options: PerformOptions = {
      ...{ terminal, signal: interrupt.signal, onWarning: warnOnce(terminal) },
      ...{ wait: shard === undefined, retryFailed: flags.retryFailed === true },
    };
    const { troubles } = await performer(queue)(store, share, options);
    await show(store, plan, { config, engine, aborted: interrupt.signal.aborted, flags }, terminal);
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
  }
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
  readonly config: Config;
  readonly engine: string;
  readonly aborted: boolean;
  readonly flags: CompareFlags;
}

async function show(
  store: Store,
  plan: ComparisonPlan,
  { config, engine, aborted, flags: { json } }: Shown,
  terminal: Terminal,
): Promise<void> {
  const { cells, comparison } = await compareStored(store, plan);
  const some = cells.some(({ run }) => run !== undefined);
  const written = JSON.stringify(
    {
      ...{
        version: 2,
        engine,
        settings: { ...config, recipes: undefined, tasks: undefined, grid: undefined },
      },
      complete: !aborted && comparison.missing.length === 0,
      ...comparisonData(plan, cells, comparison),
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
  for (const [place, entry] of entries.entries())
    if (typeof entry !== 'string') checkNoOptions(options, recipes[place]!);
  const { grid = {} } = config;
  checkGrid(grid, recipes, known);
  const points = recipes.flatMap((recipe) => expandGrid(recipe, grid, known));
  checkNames(
    points.map(({ name }) => name),
    'recipes',
  );
  return points;
}

/** Throws where options are given for a method of a recipe that is written out. */
function checkNoOptions(options: MethodOptions, { name, plugins }: Recipe): void {
  const method = plugins().find((plugin) => plugin.name in options)?.name;
  if (method !== undefined)
    throw new HypetuneError(
      `--option ${method}...: the config writes recipe '${name}' out; put the options there.`,
    );
}

/** Reads `hype.scale=1e-5,1e-3`. */
function gridOf(texts: readonly string[]): Grid {
  const grid = new Map<string, readonly unknown[]>();
  for (const text of texts) {
    const [, axis, values] = /^([\w.-]+)=(.+)$/.exec(text) ?? [];
    if (axis === undefined)
      throw new HypetuneError(`--grid: must be written name=value,value, got '${text}'.`);
    if (grid.has(axis))
      throw new HypetuneError(
        `--grid: '${axis}' stands there twice; write all its values once, as ${axis}=1,2.`,
      );
    grid.set(axis, values!.split(',').map(readValue));
  }
  return Object.fromEntries(grid);
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
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
