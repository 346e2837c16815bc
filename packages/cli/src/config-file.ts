import { dirname, extname } from 'node:path';
import { HypetuneError, show } from '@hypetune/core';
import type { z } from 'zod';
import { configSchema } from './config-schema.js';
import { modulePath, openModules } from './methods.js';
import { firstLine, loadModule } from './module.js';
import { pathFrom, type RecipeEntry, withModelPaths, withModelPathsInGrid } from './recipes.js';
import { check, type Settings, settingsWith } from './settings.js';
import { readText } from './text-file.js';

/** A config file of `hypetune train` or `hypetune compare`. Its paths start where the file stands. */
export interface Config extends Settings {
  /** For `train`: a name, as `hype+r3f`, or written out. */
  readonly recipe?: string | RecipeEntry | undefined;
  /** For `compare`: the others are compared with the first. */
  readonly recipes?: readonly (string | RecipeEntry)[] | undefined;
  /** For `compare`: values to go over in every recipe that has the method, by `method.option` or setting. */
  readonly grid?: Readonly<Record<string, readonly unknown[]>> | undefined;
  /** For `compare`: several tasks, by name or by the settings that differ. */
  readonly tasks?: readonly (string | TaskEntry)[] | undefined;
  /** For `verify`: what is to be shown. */
  readonly claim?: Claim | undefined;
  /** For `train`. */
  readonly seed?: number | undefined;
  /** For `compare`: how many seeds, from 1, or which. */
  readonly seeds?: number | readonly number[] | undefined;
  /** Modules whose methods the recipes may name: files beside the config (`./my-noise.ts`), or installed packages. */
  readonly methods?: readonly string[] | undefined;
}

/** That one recipe is better than another. */
export interface Claim {
  readonly better: string;
  readonly than: string;
  /** How much better at least. */
  readonly by: number;
  /** What is compared; the task's first unless given. */
  readonly metric?: string | undefined;
  /** Budget: pairs of runs at most, of each task. */
  readonly seeds: number;
  readonly alpha: number;
}

/** One of several tasks. */
export interface TaskEntry extends Settings {
  /** What it is called in reports. */
  readonly name?: string | undefined;
}

/** Gives a TypeScript config its type. */
export function defineConfig(config: Config): Config {
  return config;
}

const PATHS = ['data', 'train', 'validation', 'test', 'model'] as const;

/** Checks a config; an error names its origin and the setting. */
export function checkConfig(value: unknown, origin: string): Config {
  return check(configSchema as z.ZodType<Config>, value, `${origin}: `);
}

/** Reads a `.yaml`, `.yml` or `.json` config, or a TypeScript or JavaScript one's default export. */
export async function readConfig(file: string): Promise<Config> {
  const config = checkConfig(checkSettings(await load(file), file), file);
  const fromFile = pathFrom(dirname(file));
  const { methods, recipe, recipes, grid, ...rest } = withPaths(config, fromFile);
  const modules = methods?.map((module) => modulePath(module, file));
  const known = (await openModules(modules)).methods;
  const moved = (entry: string | RecipeEntry): string | RecipeEntry =>
    typeof entry === 'string' ? entry : withModelPaths(entry, known, fromFile);
  return {
    ...rest,
    ...(recipe !== undefined && { recipe: moved(recipe) }),
    ...(recipes && { recipes: recipes.map(moved) }),
    ...(grid && { grid: withModelPathsInGrid(grid, known, fromFile) }),
    ...(modules && { methods: modules }),
  };
}

/**
 * The config with flags over it. They win over what its tasks say too, and `--task` and `--train` stand in the place of those that
 * name data; what its recipes and grids set stays.
 */
export function withFlags({ tasks: all, ...file }: Config, flags: Settings): Config {
  const hasOther = (flags.task ?? flags.train) !== undefined;
  const tasks = (all ?? [])
    .filter((task) => !hasOther || !namesData(task))
    .map((task) => (typeof task === 'string' ? task : settingsWith(task, flags)));
  return settingsWith({ ...file, ...(tasks.length > 0 && { tasks }) }, flags);
}

function namesData(task: string | TaskEntry): boolean {
  return typeof task === 'string' || (task.task ?? task.train) !== undefined;
}

/** The config with paths that hold wherever it is read. */
export function absolutePaths(config: Config): Config {
  return withPaths(config, pathFrom('.'));
}

function withPaths(config: Config, change: (path: string) => string): Config {
  const changed = PATHS.flatMap((key) => (config[key] === undefined ? [] : [[key, change(config[key])]]));
  const tasks = config.tasks?.map((task) => (typeof task === 'string' ? task : withPaths(task, change)));
  return { ...config, ...(tasks && { tasks }), ...(Object.fromEntries(changed) as Config) };
}

/** Throws where a file holds anything but settings by their names. */
function checkSettings(value: unknown, file: string): object {
  if (typeof value === 'object' && value !== null && !(value instanceof Array)) return value;
  const [what, example] = MODULE.test(file)
    ? ['its default export', "export default defineConfig({ task: 'spam', epochs: 3 })"]
    : ['it', file.endsWith('.json') ? '{ "task": "spam", "epochs": 3 }' : 'task: spam'];
  throw new HypetuneError(
    `${file}: ${what} must be settings by their names, as ${example}, got ${value === undefined || value === null ? 'nothing' : show(value)}.`,
  );
}

const MODULE = /\.[cm]?[tj]s$/i;

async function load(file: string): Promise<unknown> {
  const kind = extname(file).toLowerCase();
  const isModule = MODULE.test(file);
  if (!isModule && !['.yaml', '.yml', '.json'].includes(kind))
    throw new HypetuneError(`${file}: a config file ends in .yaml, .yml, .json, .ts, .mts, .js or .mjs.`);
  const text = await readText(file);
  try {
    if (isModule) return ((await loadModule(file)) as { default?: unknown }).default;
    if (kind === '.json') return JSON.parse(text) as unknown;
    // Here, as most commands read no YAML.
    const { parse } = await import('yaml');
    return parse(text) as unknown;
  } catch (error) {
    throw new HypetuneError(`${file}: ${firstLine(error)}`, { cause: error });
  }
}
