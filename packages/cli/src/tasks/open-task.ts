import { existsSync } from 'node:fs';
import {
  balancedWeights,
  checkMetrics,
  HypetuneError,
  type Metric,
  resolveMetrics,
  singleLabel,
  type Task,
  unknownName,
} from '@hypetune/core';
import { resolveData, resolveSource } from '@hypetune/models';
import { flagName, OF_TABLES, type Settings } from '../settings.js';
import { type DownloadNotes } from '../download.js';
import { firstRows } from './fixed-order.js';
import { namedTask } from './named-task.js';
import { NAMED_TASKS, taskName } from './named-tasks.js';
import { SPAM_SOURCE, spamTask } from './spam.js';
import { isSource, tableTask } from './table-task.js';
import type { Row, TextTask } from './task.js';

/** Tasks that have rows to learn from. */
const TASKS: readonly string[] = [
  'spam',
  ...Object.keys(NAMED_TASKS).filter((name) => NAMED_TASKS[name]!.splits.train.length > 0),
];

/** The task that the settings name, cut to their limits. */
export async function openTask(settings: Settings, downloads: DownloadNotes): Promise<TextTask> {
  return settledTask(await wholeTask(settings, downloads), settings);
}

/** A task with the weights, smoothing, metrics and limits that the settings give it. */
export function settledTask(whole: TextTask, settings: Settings): TextTask {
  const { limit, limitPerClass, evaluationLimit } = settings;
  for (const name of ['classWeights', 'labelSmoothing'] as const)
    if (settings[name] !== undefined && whole.task.kind !== 'class')
      throw new HypetuneError(`${flagName(name)}: is for one class a row, not for ${whole.task.name}.`);
  const { metrics = whole.metrics } = settings;
  const limited = limit === undefined || isSpam(settings) ? whole.train : firstRows(whole.train, limit);
  const train = limitPerClass === undefined ? limited : firstOfEachClass(limited, whole.task, limitPerClass);
  const weights = classWeightsOf(whole.task, train, settings);
  const task = weightedTask(whole.task, weights, settings);
  checkMetrics(resolveMetrics(askedMetrics(settings, metrics)), {
    task,
    outputs: Math.max(1, task.labels?.length ?? 1),
  });
  return {
    ...whole,
    ...{ task, metrics, train },
    ...(weights && { classWeights: weights }),
    evaluation:
      evaluationLimit === undefined ? whole.evaluation : firstRows(whole.evaluation, evaluationLimit),
  };
}

/** The metrics that are measured, and the one that the best epoch is chosen by. */
function askedMetrics(
  { metrics, keepBest }: Settings,
  unlessGiven: readonly (string | Metric)[],
): readonly (string | Metric)[] {
  const asked = metrics ?? unlessGiven;
  return keepBest === undefined || keepBest === 'loss' ? asked : [...asked, keepBest];
}

/** The first rows of each class in the fixed shuffle, in its order. Throws where rows have no single class. */
function firstOfEachClass(rows: readonly Row[], { kind, name }: Task, count: number): Row[] {
  if (kind !== 'class')
    throw new HypetuneError(`--limit-per-class: is for one class a row, not for ${name}.`);
  const taken = new Map<unknown, number>();
  return firstRows(rows).filter(({ label }) => {
    const before = taken.get(label) ?? 0;
    taken.set(label, before + 1);
    return before < count;
  });
}

function classWeightsOf(
  task: Task,
  rows: readonly Row[],
  { classWeights }: Settings,
): readonly number[] | undefined {
  if (classWeights === undefined || task.kind !== 'class') return undefined;
  const labels = task.labels!;
  if (classWeights === 'balanced')
    return balancedWeights(
      rows.map(({ label }) => label as number),
      labels.length,
    );
  if (classWeights.length === labels.length) return classWeights;
  throw new HypetuneError(
    `--class-weights: must be balanced or a number for each of the classes ${labels.join(', ')}, got ${classWeights.join(', ')}.`,
  );
}

/** A task with the weights of its classes and its smoothing, if there are such. */
export function weightedTask(
  task: Task,
  classWeights: readonly number[] | undefined,
  { labelSmoothing }: Settings,
): Task {
  if (!classWeights && labelSmoothing === undefined) return task;
  return singleLabel({ labels: task.labels, classWeights, labelSmoothing });
}

/** The spam task cuts its lines itself: those left over are measured. */
function isSpam({ task }: Settings): boolean {
  return task?.toLowerCase() === 'spam';
}

/** Throws where the settings name no task, or what is not there or of no use to it; no row is read for that. */
export function checkTask(settings: Settings): void {
  resolveMetrics(askedMetrics(settings, []));
  const { train, validation, test } = settings;
  const task = settings.task?.toLowerCase();
  if (train !== undefined) {
    if (task !== undefined) throw new HypetuneError('--task and --train: give one of them.');
    checkThere([train, validation, test]);
    return;
  }
  if (task === undefined)
    throw new HypetuneError(
      `--task: name one of ${TASKS.join(', ')}, or give a table of your own by --train.`,
    );
  for (const name of OF_TABLES)
    if (settings[name] !== undefined && settings[name] !== false)
      throw new HypetuneError(
        `${flagName(name)}: is for a table of your own, given by --train; task '${task}' has rows, columns and labels of its own. Leave it out.`,
      );
  const spam = isSpam(settings);
  for (const name of ['test', 'delimiter', 'encoding'] as const)
    if (spam && settings[name] !== undefined)
      throw new HypetuneError(
        `${flagName(name)}: the spam task has no table; it measures on all lines not learned from.`,
      );
  if (!spam) checkNamed(task, settings.data);
  checkThere([test]);
}

/** Throws where one of these tables is a file that is missing. */
export function checkThere(tables: readonly (string | undefined)[]): void {
  for (const table of tables)
    if (table !== undefined && !isSource(table) && !existsSync(table))
      throw new HypetuneError(`${table}: there is no such file.`);
}

async function wholeTask(settings: Settings, downloads: DownloadNotes): Promise<TextTask> {
  checkTask(settings);
  const { train, data } = settings;
  if (train !== undefined) return tableTask({ ...settings, train }, downloads);
  if (isSpam(settings))
    return spamTask(
      await downloads((options) => resolveSource(data ?? SPAM_SOURCE, options)),
      settings.limit,
    );
  const name = namedName(settings.task!);
  return namedTask(name, await dataFolder(name, data, downloads), settings.test, settings);
}

/** The task that a word means. Throws where there is none. */
export function namedName(word: string): string {
  const name = taskName(word);
  if (name !== undefined) return name;
  if (isSpam({ task: word }))
    throw new HypetuneError(
      '--task: the spam task has no table; it measures on the lines that a run has not learned from.',
    );
  throw new HypetuneError(`--task: there is no task ${unknownName(word, TASKS, 'there are')}`);
}

/** The folder of a task's tables. Throws where none is named. */
export async function dataFolder(
  name: string,
  data: string | undefined,
  downloads: DownloadNotes,
): Promise<string> {
  const source = dataNamed(name, data);
  return downloads((options) => resolveData(source, options));
}

/** Throws where a word means no task, or no folder of its tables is named. */
export function checkNamed(word: string, data: string | undefined): void {
  dataNamed(namedName(word), data);
}

function dataNamed(name: string, data: string | undefined): string {
  if (data !== undefined) return data;
  throw new HypetuneError(`--data: task '${name}' needs the folder that holds it, as --data glue.`);
}
