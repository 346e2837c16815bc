import { resolve } from 'node:path';
import {
  type DropoutRates,
  HypetuneError,
  isMethod,
  isMethodPlugin,
  type Plugin,
  unknownName,
} from '@hypetune/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { METHODS, methodNamed, type Methods } from './methods.js';
import type { RecipeSettings } from './settings.js';

/** A method by its name, or with options. */
type MethodEntry =
  string | { readonly name: string; readonly options?: Readonly<Record<string, unknown>> | undefined };

/**
 * A method by its name, the same with options, what a method made (`hype({ scale: 1e-3 })`), a function that makes a plugin,
 * or (for a single run) any plugin.
 */
export type PluginEntry = MethodEntry | (() => Plugin) | Plugin;

/** A recipe written out. */
export interface RecipeEntry {
  readonly name: string;
  readonly plugins?: readonly PluginEntry[] | undefined;
  /** Dropout rates set by the recipe itself, not by a plugin. */
  readonly dropout?: DropoutRates | undefined;
  /** Settings of this recipe alone. */
  readonly settings?: RecipeSettings | undefined;
  /** Values to go over, by `method.option` or setting: a recipe for each combination. */
  readonly grid?: Grid | undefined;
}

/** Values by `method.option` or setting. */
export type Grid = Readonly<Record<string, readonly unknown[]>>;

/** Models by the folder or source that an option names. */
export type Models = ReadonlyMap<string, LayersModel>;

/** How a model is tuned, its options checked. */
export interface Recipe {
  readonly name: string;
  /** The recipe that it is a point of a grid of; its own name if there is no grid. */
  readonly family: string;
  readonly dropout: DropoutRates;
  /** Settings of this recipe alone. */
  readonly settings: RecipeSettings;
  /** Folders and sources of the models that options name, as a teacher's. */
  readonly models: readonly string[];
  /** New plugins for a run, models in the place of their names. */
  readonly plugins: (models?: Models) => Plugin[];
  /** The recipe as data; undefined where one of its plugins is code of its own. */
  readonly entry: RecipeData | undefined;
}

/** A recipe that is data alone. */
export interface RecipeData extends RecipeEntry {
  readonly plugins?: readonly MethodEntry[] | undefined;
}

/** Options given on the command line, by method: `{ hype: { scale: 1e-4 } }`. */
export type MethodOptions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What a named recipe gives a method beside its defaults: HyPe as published is hidden noise instead of hidden dropout. */
const RECIPE_OPTIONS: MethodOptions = { hype: { hiddenDropout: 0 } };

/** Parts of a recipe's name that are no method: plain training, and no dropout of hidden states. */
const PLAIN: readonly string[] = ['vanilla', 'nodrop'];

/**
 * A recipe by its name: `vanilla` (plain fine-tuning), or methods joined by `+`, as `hype+r3f`; `nodrop`, alone or among
 * them, turns hidden dropout off.
 */
export function namedRecipe(name: string, options: MethodOptions = {}, known: Methods = METHODS): Recipe {
  const parts = name.split('+').map((part) => part.trim());
  if (parts.includes(''))
    throw new HypetuneError(`recipe '${name}': write vanilla, nodrop, or methods joined by +, as hype+r3f.`);
  if (parts.includes('vanilla') && parts.length > 1)
    throw new HypetuneError(`recipe '${name}': 'vanilla' means no method at all, so it stands alone.`);
  const methods = parts.filter((part) => !PLAIN.includes(part));
  const missing = methods.find((method) => !known.has(method));
  if (missing !== undefined)
    throw new HypetuneError(
      `there is no method ${unknownName(missing, [...PLAIN, ...known.keys()], 'there are')}`,
    );
  const entry = {
    name: parts.join('+'),
    plugins: methods.map((method) => ({
      name: method,
      options: { ...RECIPE_OPTIONS[method], ...options[method] },
    })),
    ...(parts.includes('nodrop') && { dropout: { hidden: 0 } }),
  };
  return recipeOf(entry, { known });
}

/** A recipe from its entry. `single`: only one run is made with it, so any plugin may be given ready made. */
export function recipeOf(
  entry: RecipeEntry,
  { known = METHODS, single = false }: { readonly known?: Methods; readonly single?: boolean } = {},
): Recipe {
  const { name, dropout = {}, settings = {} } = entry;
  const { plugins = [] } = withModelPaths(entry, known, pathFrom('.'));
  const makers = plugins.map((plugin) => maker(plugin, name, known, single));
  const make = (models?: Models): Plugin[] => makers.map((make) => make(models));
  make();
  const data = plugins.map((plugin) => asData(plugin, known));
  const isData = data.every((plugin) => plugin !== undefined);
  const models = plugins.flatMap((plugin) => Object.values(modelsNamed(plugin, known)));
  return {
    ...{ name, family: name, dropout, settings, models, plugins: make },
    entry: isData ? { ...entry, plugins: data } : undefined,
  };
}

/** The options of a method that name a model. */
function modelsNamed(entry: PluginEntry, known: Methods): Record<string, string> {
  if (typeof entry !== 'object' || 'apply' in entry) return {};
  const declared = known.get(entry.name)?.options ?? {};
  return Object.fromEntries(
    Object.entries(entry.options ?? {}).flatMap(([option, value]) =>
      declared[option]?.model && typeof value === 'string' ? [[option, value]] : [],
    ),
  );
}

/** The recipe with the folders of models changed that its options and its grid name. */
export function withModelPaths(
  recipe: RecipeEntry,
  known: Methods,
  change: (path: string) => string,
): RecipeEntry {
  const plugins = recipe.plugins?.map((entry) => {
    const named = Object.entries(modelsNamed(entry, known));
    if (named.length === 0 || typeof entry !== 'object' || 'apply' in entry) return entry;
    const paths = named.map(([option, path]) => [option, change(path)]);
    return { ...entry, options: { ...entry.options, ...(Object.fromEntries(paths) as object) } };
  });
  const { grid } = recipe;
  return {
    ...recipe,
    ...(plugins && { plugins }),
    ...(grid && { grid: withModelPathsInGrid(grid, known, change) }),
  };
}

/** Likewise the values of a grid. */
export function withModelPathsInGrid(grid: Grid, known: Methods, change: (path: string) => string): Grid {
  const changed = Object.entries(grid).map(([axis, values]) => {
    const [method = '', option = ''] = axis.split('.');
    if (!known.get(method)?.options[option]?.model) return [axis, values];
    return [axis, values.map((value) => (typeof value === 'string' ? change(value) : value))];
  });
  return Object.fromEntries(changed) as Grid;
}

/** Makes paths that start in a folder absolute; a source, as `pip:` or `hf:`, stays as it is. */
export function pathFrom(folder: string): (path: string) => string {
  return (path) => (/^[a-z]{2,}:/.test(path) ? path : resolve(folder, path));
}

/** One line: the recipe's methods with the options it sets. */
export function describeRecipe({ name, dropout, settings, entry, plugins }: Recipe): string {
  const parts = entry
    ? (entry.plugins ?? []).map((plugin) => describePlugin(plugin))
    : plugins().map((plugin) => plugin.name);
  const rates = Object.entries(dropout).map(([kind, rate]) => `${kind} dropout ${rate}`);
  const own = Object.entries(settings).map(([setting, value]) => `, ${setting} ${JSON.stringify(value)}`);
  return `${name}: ${[...parts, ...rates].join(' + ') || 'plain fine-tuning'}${own.join('')}`;
}

/** Several `method.option=value`, each value JSON or else a string, as a table. */
export function methodOptions(texts: readonly string[], known: Methods = METHODS): MethodOptions {
  const options: Record<string, Record<string, unknown>> = {};
  for (const text of texts) {
    const found = /^([\w-]+)\.(\w+)=(.*)$/s.exec(text);
    if (!found) throw new HypetuneError(`--option: must be written method.option=value, got '${text}'.`);
    const [, method, option, value] = found as unknown as [string, string, string, string];
    methodNamed(method, known);
    (options[method] ??= {})[option] = readValue(value);
  }
  return options;
}

/** Throws when options are given for a method that no recipe has: they would be ignored. */
export function checkOptionsUsed(options: MethodOptions, recipes: readonly Recipe[]): void {
  const used = new Set(recipes.flatMap(({ entry }) => entry?.plugins ?? []).map(nameOf));
  const unused = Object.keys(options).find((name) => !used.has(name));
  if (unused !== undefined)
    throw new HypetuneError(`--option ${unused}...: no recipe of this command has the method '${unused}'.`);
}

function maker(
  entry: PluginEntry,
  recipe: string,
  known: Methods,
  single: boolean,
): (models?: Models) => Plugin {
  if (typeof entry === 'function') return () => entry();
  if (typeof entry === 'string') return maker({ name: entry }, recipe, known, single);
  if (!('apply' in entry)) {
    const method = methodNamed(entry.name, known);
    const named = Object.entries(modelsNamed(entry, known));
    return (models) => {
      const opened = named.map(([option, name]) => [option, models?.get(name) ?? name]);
      return method.create({ ...entry.options, ...(Object.fromEntries(opened) as object) });
    };
  }
  if (single || isMethodPlugin(entry)) return () => entry;
  throw new HypetuneError(
    `recipe '${recipe}': plugin '${entry.name}' would be shared by several runs; give a function that makes it: () => new ...`,
  );
}

/** The entry as a method's name and options, if that is all it is: a model among them is code. */
function asData(entry: PluginEntry, known: Methods): MethodEntry | undefined {
  if (isMethod(entry)) return entry.name;
  if (typeof entry === 'string') return entry;
  if (typeof entry === 'function') return undefined;
  const isPlugin = 'apply' in entry;
  if (isPlugin && !isMethodPlugin(entry)) return undefined;
  const method = isPlugin ? entry.method : methodNamed(entry.name, known);
  const options = isPlugin ? entry.given : entry.options;
  const code = Object.entries(options ?? {}).some(
    ([option, value]) => method.options[option]?.model && typeof value !== 'string',
  );
  if (code) return undefined;
  return isPlugin ? { name: method.name, options: entry.given } : entry;
}

function nameOf(entry: MethodEntry): string {
  return typeof entry === 'string' ? entry : entry.name;
}

function describePlugin(entry: MethodEntry): string {
  const options = Object.entries((typeof entry === 'object' && entry.options) || {});
  return [nameOf(entry), ...options.map(([option, value]) => `${option}=${JSON.stringify(value)}`)].join(' ');
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
