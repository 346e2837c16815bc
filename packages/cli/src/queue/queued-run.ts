import { resolve } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { HypetuneError } from '@hypetune/core';
import { comparedTask, type NamedRun, type PreparedTask } from '../comparison-runs.js';
import { absolutePaths } from '../config-file.js';
import { metricName, openModules, withMetrics } from '../methods.js';
import { type RecipeData, recipeOf } from '../recipes.js';
import { type Settings, settings as declared } from '../settings.js';
import { runIdentity } from '../store/identity.js';
import type { WantedRun } from '../store/perform.js';
import type { RunIdentity } from '../store/record.js';
import { keyOf, type WholeRun } from '../store/store.js';
import type { Terminal } from '../terminal.js';

/** A run as it stands on a queue: all that another machine needs to do the same. */
export interface QueuedRun {
  readonly key: string;
  /** What it must come to; a worker whose rows, weights or code differ refuses it. */
  readonly identity: RunIdentity;
  readonly task: string;
  readonly recipe: RecipeData;
  readonly seed: number;
  /** Paths in it are absolute. */
  readonly settings: Settings;
  /** Modules that bring methods, and files whose code decides the result. */
  readonly methods: readonly string[];
  readonly modules: readonly string[];
  /** Whether a stored failure of it is to be done again. */
  readonly retryFailed: boolean;
}

/** How far a run is. */
export interface RunProgress {
  readonly step: number;
  readonly total: number;
  readonly loss: number;
}

/** A run written down for a queue. Throws where it holds code that no other process has. */
export async function queuedRun(run: NamedRun, retryFailed: boolean): Promise<QueuedRun> {
  const { key, identity, task, recipe, seed, methods, modules } = run;
  const why = 'which no other process has; bring it by a file named in methods, or leave --queue out.';
  if (!recipe.entry) throw new HypetuneError(`recipe '${recipe.name}': code makes its plugins, ${why}`);
  const { metrics, keepBest } = run.settings;
  const known = (await openModules(methods)).metrics;
  for (const metric of [...(metrics ?? []), keepBest])
    if (typeof metric === 'object' && !known.has(metric.name))
      throw new HypetuneError(`metrics: '${metric.name}' is code of the config, ${why}`);
  const settings: Settings = {
    ...Object.fromEntries(Object.entries(absolutePaths(run.settings)).filter(([name]) => name in declared)),
    ...(metrics && { metrics: metrics.map(metricName) }),
    ...(keepBest !== undefined && { keepBest: metricName(keepBest) }),
  };
  return { key, identity, task, recipe: recipe.entry, seed, settings, methods, modules, retryFailed };
}

/** A folder of the machine that asks, and where its content lies here. */
export interface Place {
  readonly theirs: string;
  readonly ours: string;
}

/** Reads `/home/ada/data=/mnt/data`. */
export function placeOf(text: string): Place {
  const [, theirs, ours] = /^([^=]+?)\/*=([^=]+?)\/*$/.exec(text) ?? [];
  if (theirs === undefined || !theirs.startsWith('/'))
    throw new HypetuneError(`--place: must be /their/folder=/our/folder, got '${text}'.`);
  return { theirs, ours: resolve(ours!) };
}

/** A value with the paths in it that begin with one of these folders led to ours. */
export function withPlaces<T>(value: T, places: readonly Place[]): T {
  if (typeof value === 'string') {
    const place = places.find(({ theirs }) => value === theirs || value.startsWith(`${theirs}/`));
    return (place ? place.ours + value.slice(place.theirs.length) : value) as T;
  }
  if (Array.isArray(value)) return value.map((part) => withPlaces<unknown>(part, places)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, withPlaces<unknown>(part, places)]),
  ) as T;
}

/** How many tasks a worker keeps in memory, tokenized: a comparison goes over its tasks again and again. */
const KEPT_TASKS = 4;

/** Reads what queued runs are made of; a task once for many runs. */
export class QueuedRuns {
  readonly #tasks = new Map<string, Promise<PreparedTask>>();

  constructor(
    private readonly terminal: Terminal,
    private readonly signal: AbortSignal,
    private readonly places: readonly Place[] = [],
  ) {}

  /** The run, to be done here. Throws where it would not be the one that was asked for, naming what differs. */
  async open(asked: QueuedRun): Promise<WantedRun> {
    const queued = withPlaces(asked, this.places);
    const { key, identity, seed, methods, modules } = queued;
    const own = await openModules(methods);
    const settings = withMetrics(queued.settings, own);
    const recipe = recipeOf(queued.recipe, { known: own.methods });
    const prepared = await this.#task(queued, settings);
    const here = await runIdentity({
      ...{ task: prepared.identity, recipe, settings, seed, engine: identity.engine, modules },
    });
    if (keyOf(here) !== key)
      throw new HypetuneError(
        `this worker would do another run than the one asked for: ${differences(identity, here).join(', ')} differ.`,
      );
    const { task } = queued;
    return { key, identity, task, setup: prepared.setup, settings, recipe, seed };
  }

  #task({ task, settings: written, methods }: QueuedRun, settings: Settings): Promise<PreparedTask> {
    const name = JSON.stringify([task, written, methods]);
    const found = this.#tasks.get(name) ?? comparedTask({ name: task }, settings, this.terminal, this.signal);
    this.#tasks.delete(name);
    this.#tasks.set(name, found);
    for (const old of [...this.#tasks.keys()].slice(0, -KEPT_TASKS)) this.#tasks.delete(old);
    // One that cannot be read may be there at the next try.
    found.catch(() => this.#tasks.delete(name));
    return found;
  }
}

/** Where two values differ, as `rows.train`. */
export function differences(one: unknown, other: unknown, path: readonly string[] = []): string[] {
  if (JSON.stringify(one) === JSON.stringify(other)) return [];
  const isPart = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null;
  if (!isPart(one) || !isPart(other)) return [path.join('.')];
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].flatMap((name) => differences(one[name], other[name], [...path, name]));
}

/** A run's record, curve and predictions as one text, about a tenth of their size. */
export function packRun(run: WholeRun): string {
  return gzipSync(JSON.stringify(run)).toString('base64');
}

/** What `packRun` packed. Throws where it is not the run of this key. */
export function unpackRun(text: string, key: string): WholeRun {
  const run = JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString()) as WholeRun;
  if (run.record.key === key && keyOf(run.record.identity) === key) return run;
  throw new HypetuneError(`the queue: the result of run ${key} is another's.`);
}
