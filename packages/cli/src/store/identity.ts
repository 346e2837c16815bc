import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import {
  describeSettings,
  HypetuneError,
  isMethodPlugin,
  type Plugin,
  optimizerSettings,
  scheduleSettings,
  trainerSettings,
} from '@hypetune/core';
import { packageOf } from '../methods.js';
import type { Recipe } from '../recipes.js';
import { flags, type Settings, settings as declared, settingsWith } from '../settings.js';
import type { Setup } from '../setup.js';
import { hashOfRows } from '../tasks/data-record.js';
import { version } from '../version.js';
import { sha256 } from './canonical.js';
import { withImports } from './imports.js';
import type { RunIdentity } from './record.js';

/** What the runs of a task have in common. */
export interface TaskIdentity extends Pick<RunIdentity, 'task' | 'rows' | 'weights'> {
  readonly maxLength: number;
}

/** Hashes a task's rows and its model, once for all runs. */
export async function taskIdentity(setup: Setup): Promise<TaskIdentity> {
  const { task, folder, maxLength } = setup;
  return {
    task: { name: task.name, kind: task.task.kind, labels: task.task.labels ?? [] },
    rows: {
      train: hashOfRows(task.train),
      validation: hashOfRows(task.evaluation),
      ...(task.test && { test: hashOfRows(task.test) }),
    },
    weights: await folderHash(folder),
    maxLength,
  };
}

export interface IdentityRequest {
  readonly task: TaskIdentity;
  readonly recipe: Recipe;
  readonly settings: Settings;
  readonly seed: number;
  readonly engine: string;
  /** Files of methods that are not of this command, and the config where it holds code. */
  readonly modules: readonly string[];
}

/** Everything that decides a run's result. */
export async function runIdentity(request: IdentityRequest): Promise<RunIdentity> {
  const { task, recipe, settings, seed, engine, modules } = request;
  const { maxLength, ...shared } = task;
  const models = new Map<unknown, string>();
  for (const name of recipe.models) if (existsSync(name)) models.set(name, await folderHash(name));
  const used = settingsWith(settings, recipe.settings);
  const own = new Set(
    [...(settings.metrics ?? []), used.keepBest].flatMap((metric) =>
      typeof metric === 'object' ? [metric.name] : [],
    ),
  );
  const plugins = await Promise.all(
    recipe.plugins().map(async (plugin) => ({
      name: plugin.name,
      ...(isMethodPlugin(plugin) && { options: withHashes(plugin.options as object, models) }),
      code: await codeHash(plugin, modules),
    })),
  );
  return {
    ...{ version: 1, release: version, engine, seed, ...shared },
    recipe: { dropout: { ...recipe.dropout } as Record<string, number>, plugins },
    settings: { ...outcomeSettings(used), maxLength },
    ...(settings.alsoMeasure && { alsoMeasure: [...new Set(settings.alsoMeasure)].sort() }),
    ...(own.size > 0 && { metrics: { names: [...own], code: await filesHash(await withImports(modules)) } }),
  };
}

/** Options with hashes in the place of folders of models, which are called otherwise on other machines. */
function withHashes(options: object, hashes: ReadonlyMap<unknown, string>): object {
  return Object.fromEntries(
    Object.entries(options).map(([name, value]: [string, unknown]) => [name, hashes.get(value) ?? value]),
  );
}

const DEFAULTS: Readonly<Record<string, { readonly default?: unknown }>> = describeSettings({
  ...trainerSettings,
  ...optimizerSettings,
  ...scheduleSettings,
});

/** The settings that change what a run computes, defaults filled in; `lengths` where a multiple was given, so that none were chosen. */
export function outcomeSettings(given: Settings): Record<string, unknown> {
  const names = (Object.keys(declared) as (keyof Settings)[]).filter((name) => {
    const { group, outcome = true } = flags.get(declared[name])!;
    return (group === 'Training' && outcome && name !== 'model') || name === 'compile';
  });
  return {
    ...Object.fromEntries(
      names.map((name) => [name, given[name] ?? DEFAULTS[name]?.default ?? null] as const),
    ),
    ...(given.lengthMultiple !== undefined && { lengths: [] }),
  };
}

/** The hash of a model: of its files and their names, notes of runs and hidden files left out. */
async function folderHash(folder: string): Promise<string> {
  const lines: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true });
  for (const { name } of entries
    .filter((entry) => !entry.isDirectory())
    .sort((a, b) => (a.name < b.name ? -1 : 1)))
    if (/\.(safetensors|json|txt|model|bin)$/.test(name) && name !== 'hypetune.json')
      lines.push(`${name} ${await fileHash(join(folder, name))}`);
  return sha256(lines.join('\n'));
}

async function fileHash(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

const hashes = new Map<string, Promise<string>>();

/** The hash of a plugin's code: of its package, or of the files that a config names, and what they import, where it is not a shipped method. */
export async function codeHash(plugin: Plugin, modules: readonly string[]): Promise<string> {
  const name = isMethodPlugin(plugin) ? packageOf(plugin.method) : undefined;
  return name === undefined ? filesHash(await withImports(modules)) : packageHash(packageFolder(name));
}

async function packageHash(home: string): Promise<string> {
  const [folder, kind] = existsSync(join(home, 'src'))
    ? [join(home, 'src'), /(?<!\.test)\.ts$/]
    : [join(home, 'dist'), /\.js$/];
  if (!hashes.has(folder))
    hashes.set(
      folder,
      readdir(folder).then((names) =>
        filesHash(
          names
            .filter((file) => kind.test(file))
            .sort()
            .map((file) => join(folder, file)),
        ),
      ),
    );
  return hashes.get(folder)!;
}

async function filesHash(files: readonly string[]): Promise<string> {
  return sha256((await Promise.all(files.map(async (file) => sha256(await readFile(file))))).join('\n'));
}

/** Where Node finds a package from here; throws where it is not installed. */
function packageFolder(name: string): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const place = join(folder, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return place;
    if (dirname(folder) === folder)
      throw new HypetuneError(`${name}: the package is not installed beside hypetune; install it again.`);
  }
}
