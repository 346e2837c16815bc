import { cpus } from 'node:os';
import { join } from 'node:path';
import {
  checkMetrics,
  HypetuneError,
  METRIC_NAMES,
  type Metric,
  type MetricName,
  namedMetric,
  type StepReport,
} from '@hypetune/core';
import { SourceError } from '@hypetune/models';
import { showDownloads } from '../download.js';
import { checkLogs, endMetrics, openLogs, paramsOf, type RunEnd } from '../log/curve-log.js';
import { disposeModels, openModels } from '../recipe-models.js';
import type { Models, Recipe } from '../recipes.js';
import { run, type RunCost } from '../run.js';
import type { Settings } from '../settings.js';
import type { Setup } from '../setup.js';
import { note, type Terminal } from '../terminal.js';
import type { Cost, CurveLine, Measured, PredictedLine, RunIdentity, StoredRecord } from './record.js';
import {
  readRunCheckpoint,
  removeRunCheckpoint,
  type RunCheckpoint,
  writeRunCheckpoint,
} from './run-checkpoint.js';
import type { Store, WholeRun } from './store.js';

/** A run that a comparison wants. */
export interface WantedRun {
  readonly key: string;
  readonly identity: RunIdentity;
  /** The name of its task in the comparison. */
  readonly task: string;
  readonly setup: Setup;
  readonly settings: Settings;
  readonly recipe: Recipe;
  readonly seed: number;
}

export interface PerformOptions {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly onWarning: (message: string) => void;
  /** Wait for runs that other processes are doing. */
  readonly wait: boolean;
  /** Do runs again that failed. */
  readonly retryFailed: boolean;
  /** Called after every update of a run. */
  readonly onStep?: ((run: WantedRun, report: StepReport) => void) | undefined;
}

export interface Performed {
  /** Runs that were done here. */
  readonly done: number;
  /** What the machine, not the run, was to blame for: these are not stored and may be tried again. */
  readonly troubles: readonly string[];
}

/** Seconds between two checkpoints of a run: what a kill costs at most. Runs that are shorter write none. */
const SAVE_SECONDS = 120;

/** Milliseconds between two looks at a run that another process is doing. */
export const LOOK = 500;

/** Does the runs that a store lacks, each written when it ends. A run that fails is a result; one that another process does is left to it. */
export async function perform(
  store: Store,
  wanted: readonly WantedRun[],
  options: PerformOptions,
): Promise<Performed> {
  const { terminal } = options;
  for (const formats of new Set(wanted.map(({ settings }) => settings.log))) checkLogs(formats);
  const isStopped = (): boolean => options.signal.aborted;
  const troubles: string[] = [];
  let done = 0;
  let left = wanted;
  while (left.length > 0 && !isStopped()) {
    const busy: WantedRun[] = [];
    for (const item of left) {
      if (isStopped()) break;
      if (await isDone(store, item.key, options.retryFailed)) continue;
      const lock = await store.lock(item.key);
      if (!lock) {
        busy.push(item);
        continue;
      }
      try {
        await store.recover(item.key);
        // Another process may have ended it between the look and the lock.
        if (await isDone(store, item.key, options.retryFailed)) continue;
        const whole = await performRun(item, options, store);
        if (!whole) break;
        await store.write(whole);
        await removeRunCheckpoint(store.checkpoint(item.key));
        done += 1;
      } catch (error) {
        const { message } = error instanceof Error ? error : new Error(String(error));
        troubles.push(`${item.recipe.name} · seed ${item.seed}: ${message}`);
        note(terminal, `not done: ${troubles.at(-1)!}`);
      } finally {
        await lock.release();
      }
    }
    if (busy.length > 0 && !options.wait)
      note(terminal, `${busy.length} runs are being done by other processes`);
    left = options.wait ? busy : [];
    if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
  return { done, troubles };
}

/** Whether a store has a run; where failures are to be done again, one that did not fail. */
export async function isDone(store: Store, key: string, retryFailed: boolean): Promise<boolean> {
  if (!(await store.has(key))) return false;
  return !retryFailed || (await store.read(key)).record.status === 'finished';
}

/**
 * Does one run, from its last checkpoint if there is one; undefined where a signal stopped it, which leaves a checkpoint. Throws what
 * the machine is to blame for.
 */
async function performRun(
  item: WantedRun,
  options: PerformOptions,
  store: Store,
): Promise<WholeRun | undefined> {
  const { key, identity, setup, settings, recipe, seed } = item;
  const { terminal, signal, onWarning } = options;
  const label = `${recipe.name} · seed ${seed}`;
  const place = store.checkpoint(key);
  const begun = await lastCheckpoint(place, label, terminal);
  const curve: CurveLine[] = [...(begun?.curve ?? [])];
  const { log: formats } = settings;
  const logged = { name: logName(item), params: paramsOf({ ...identity, ...settings, seed }), onWarning };
  const log = formats && openLogs(formats, join(store.folder, 'logs', logName(item)), logged, curve);
  let end: RunEnd = { status: 'failed', step: 0, metrics: {} };
  const began = performance.now();
  let models: Models = new Map();
  const shared = { version: 1, key, identity } as const;
  const costOf = (cost: Partial<Cost>): Cost => ({
    ...{ seconds: (performance.now() - began) / 1000, compileSeconds: 0, measureSeconds: 0 },
    memoryBytes: process.memoryUsage.rss(),
    ...cost,
    finished: new Date().toISOString(),
    environment: environment(),
  });
  try {
    models = await openModels(recipe.models, setup, showDownloads(terminal, signal));
    const { report, evaluation, test, training, similarity, cost, snapshot, model } = await run({
      ...{ setup, settings, recipe, seed, terminal, signal, onWarning, models },
      metrics: metricsFor(setup.task),
      ...{ resume: begun?.snapshot, saveSeconds: SAVE_SECONDS },
      onCheckpoint: async (_, at, spent) => {
        await writeRunCheckpoint(place, { snapshot: at, curve, spent: sum(begun?.spent, spent) });
      },
      onStep: (step) => options.onStep?.(item, step),
      onLine: (line) => {
        curve.push(line);
        log?.line(line);
      },
    });
    model.dispose();
    end = {
      ...{ status: evaluation ? 'finished' : 'stopped', step: report.steps },
      metrics: { ...endMetrics('validation', evaluation), ...endMetrics('test', test) },
    };
    const spent = sum(begun?.spent, cost);
    if (!evaluation) {
      if (snapshot) await writeRunCheckpoint(place, { snapshot, curve, spent });
      return undefined;
    }
    const rows = test ? setup.test! : setup.evaluation;
    const { predictions, losses } = test ?? evaluation;
    const { steps, stopped, best, epochs, lastLoss } = report;
    const record: StoredRecord = {
      ...{ ...shared, status: 'finished', steps, stopped, best },
      trainLoss: epochs.at(-1)?.loss ?? lastLoss,
      validation: measured(evaluation, setup.task.evaluation.length),
      ...(test && { test: measured(test, rows.size) }),
      ...(training && { training: measured(training, setup.task.train.length) }),
      ...(similarity && { similarity }),
    };
    const lines = predictions.map(({ logits }, row): PredictedLine => ({
      ...{ row, label: rows.label(row), loss: losses[row]!, logits: [...logits] },
    }));
    return { record, curve, predictions: lines, cost: costOf(spent) };
  } catch (error) {
    if (isOfMachine(error)) throw error;
    const { message } = error instanceof Error ? error : new HypetuneError(String(error));
    const why = message.replace(/\s*\n\s*/g, ' ');
    note(terminal, `failed: ${label}: ${why}`);
    const steps = curve.findLast(({ kind }) => kind === 'step')?.step ?? 0;
    const cost = costOf(sum(begun?.spent, costOf({})));
    return { record: { ...shared, status: 'failed', why, steps }, curve, predictions: [], cost };
  } finally {
    disposeModels(models);
    await log?.close(end);
  }
}

/** Where an earlier process left a run. One that cannot be read is as good as none. */
async function lastCheckpoint(
  place: string,
  label: string,
  terminal: Terminal,
): Promise<RunCheckpoint | undefined> {
  try {
    const found = await readRunCheckpoint(place);
    if (found) note(terminal, `${label}: goes on after step ${found.snapshot.meta.step}`);
    return found;
  } catch (error) {
    note(terminal, `${label}: begins again, its checkpoint is damaged: ${(error as Error).message}`);
    await removeRunCheckpoint(place);
    return undefined;
  }
}

/** What a run cost over the processes that did it. */
function sum(before: RunCost | undefined, now: RunCost): RunCost {
  if (!before) return now;
  return {
    seconds: before.seconds + now.seconds,
    compileSeconds: before.compileSeconds + now.compileSeconds,
    measureSeconds: before.measureSeconds + now.measureSeconds,
    memoryBytes: Math.max(before.memoryBytes, now.memoryBytes),
  };
}

/** Characters of a log's name that say what it is of: file systems take 255 in all. */
const LONGEST_NAME = 180;

/** A name for a run's logs that says which it is, no other's. */
function logName({ key, task, recipe, seed }: WantedRun): string {
  const what = `${task}-${recipe.name}`.replace(/[^\w.+=-]+/g, '_').slice(0, LONGEST_NAME);
  return `${what}-seed-${seed}-${key.slice(0, 8)}`;
}

/** Every metric that can measure a task, and those that modules bring: which of them a comparison asks for changes nothing of a stored run. */
function metricsFor({ task, metrics }: Setup['task']): (MetricName | Metric)[] {
  const context = { task, outputs: Math.max(1, task.labels?.length ?? 1) };
  const shipped = METRIC_NAMES.filter((name) => {
    try {
      checkMetrics([namedMetric(name)], context);
      return true;
    } catch {
      return false;
    }
  });
  return [...shipped, ...metrics.filter((metric) => typeof metric !== 'string')];
}

/** Errors of files, memory and network: the same run may succeed elsewhere or later. */
function isOfMachine(error: unknown): boolean {
  if (error instanceof SourceError) return true;
  if (error instanceof HypetuneError) return false;
  const { code, message = '' } = error as Partial<NodeJS.ErrnoException>;
  return code !== undefined || /out of memory|allocation failed|RESOURCE_EXHAUSTED|\bOOM\b/i.test(message);
}

function measured(
  { loss, metrics, report }: Pick<Measured, 'loss' | 'metrics' | 'report'>,
  rows: number,
): Measured {
  return { rows, loss, metrics, ...(report && { report }) };
}

function environment(): Record<string, string | number> {
  const [processor] = cpus();
  return {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    processor: processor?.model ?? 'unknown',
    cores: cpus().length,
  };
}
