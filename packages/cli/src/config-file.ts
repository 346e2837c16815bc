import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { HypetuneError, type Plugin } from '@hypetune/core';
import { parse } from 'yaml';
import { z } from 'zod';
import type { RecipeEntry } from './recipes.js';
import { check, settingChecks, type Settings } from './settings.js';
import { readText } from './text-file.js';

/** A config file of `hypetune train` or `hypetune compare`. Paths that start with a dot start where the file stands. */
export interface Config extends Settings {
  /** For `train`: a name, as `hype+r3f`, or written out. */
  readonly recipe?: string | RecipeEntry | undefined;
  /** For `compare`: the others are compared with the first. */
  readonly recipes?: readonly (string | RecipeEntry)[] | undefined;
  /** For `train`. */
  readonly seed?: number | undefined;
  /** For `compare`: how many seeds, from 1, or which. */
  readonly seeds?: number | readonly number[] | undefined;
}

/** Gives a TypeScript config its type. */
export function defineConfig(config: Config): Config {
  return config;
}

const rate = z.number().min(0).lt(1);
const isPlugin = (value: unknown): boolean => typeof (value as Partial<Plugin> | null)?.apply === 'function';
const pluginEntry = z.union(
  [
    z.string(),
    z.custom((value) => typeof value === 'function' || isPlugin(value)),
    z.strictObject({ name: z.string(), options: z.record(z.string(), z.unknown()).optional() }),
  ],
  'must be a method, { name, options }, a plugin or a function that makes one',
);
const recipeEntry = z.union([
  z.string(),
  z.strictObject({
    name: z.string(),
    plugins: z.array(pluginEntry).optional(),
    dropout: z.strictObject({ hidden: rate.optional(), attention: rate.optional() }).optional(),
  }),
]);
const seed = z.int().min(0);
const configSchema = z.strictObject({
  ...settingChecks,
  recipe: recipeEntry.optional(),
  recipes: z.array(recipeEntry).min(1).optional(),
  seed: seed.optional(),
  seeds: z.union([z.int().min(1), z.array(seed).min(1)]).optional(),
});

const PATHS = ['data', 'train', 'validation', 'model'] as const;

/** Checks a config; an error names its origin and the setting. */
export function checkConfig(value: unknown, origin: string): Config {
  return check(configSchema as z.ZodType<Config>, value, (setting) => `${origin}: ${setting || 'config'}`);
}

/** Reads a `.yaml`, `.yml` or `.json` config, or a TypeScript or JavaScript one's default export. */
export async function readConfig(file: string): Promise<Config> {
  const config = checkConfig(await load(file), file);
  return withPaths(config, (path) => (/^\.{1,2}(\/|$)/.test(path) ? resolve(dirname(file), path) : path));
}

/** The config with paths that hold wherever it is read. */
export function absolutePaths(config: Config): Config {
  return withPaths(config, (path) => (/^[a-z]{2,}:/.test(path) ? path : resolve(path)));
}

function withPaths(config: Config, change: (path: string) => string): Config {
  const changed = PATHS.flatMap((key) => (config[key] === undefined ? [] : [[key, change(config[key])]]));
  return { ...config, ...(Object.fromEntries(changed) as Config) };
}

async function load(file: string): Promise<unknown> {
  const kind = extname(file).toLowerCase();
  const isModule = /^\.[cm]?[tj]s$/.test(kind);
  if (!isModule && !['.yaml', '.yml', '.json'].includes(kind))
    throw new HypetuneError(`${file}: a config file ends in .yaml, .yml, .json, .ts, .mts, .js or .mjs.`);
  const text = await readText(file);
  try {
    if (isModule) return await loadModule(file);
    return (kind === '.json' ? JSON.parse(text) : parse(text)) as unknown;
  } catch (error) {
    throw new HypetuneError(`${file}: ${(error as Error).message.split('\n', 1)[0]!}`, { cause: error });
  }
}

/** The default export, TypeScript or not; modules that the command itself uses are the same ones for the config. */
async function loadModule(file: string): Promise<unknown> {
  const { register } = await import('tsx/esm/api');
  const unregister = register();
  try {
    const module = (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown };
    return module.default;
  } finally {
    await unregister();
  }
}
