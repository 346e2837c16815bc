import { existsSync } from 'node:fs';
import { cp, link, readdir, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { HypetuneError, type Label, type Snapshot, type TaskName } from '@hypetune/core';
import { labelsOf, modelConfig, saveModel } from '@hypetune/models';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { recover, writeFolder } from './atomic.js';
import { CHECKSUMS, checkChecksums, listedFiles, writeChecksums } from './checksums.js';
import { readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { checkConfig, type Config } from './config-file.js';
import { modelCard } from './export/model-card.js';
import { readJson } from './json-file.js';
import type { Interval } from './report/intervals.js';
import type { CurveLine } from './store/record.js';
import { jsonLines, readLines } from './store/store.js';

export const RUN_RECORD = 'hypetune.json';
const CHECKPOINT = 'checkpoint.safetensors';
const CARD = 'README.md';
/** The curve of a run: a line a step, an evaluation, an epoch. */
export const HISTORY = 'history.jsonl';

/** What the model said of the rows measured at the end. */
export const PREDICTED = 'predictions.jsonl';

/** A line of `PREDICTED`. */
export interface PredictedRow {
  readonly text: string;
  readonly pair?: string | undefined;
  readonly label: Label;
  readonly loss: number;
  readonly logits: readonly number[];
}

/** What a saved run says about itself, in `hypetune.json` beside the model. */
export interface RunRecord {
  readonly version: 1;
  readonly task: {
    readonly name: string;
    readonly kind: TaskName;
    /** Names of the outputs; empty where a value has no name. */
    readonly labels: readonly string[];
    readonly metrics: readonly string[];
    /** What a row of each class weighed in the loss. */
    readonly classWeights?: readonly number[] | undefined;
    /** Whether a row is a pair of texts. */
    readonly pair: boolean;
  };
  /** Tokens a row was cut to. */
  readonly maxLength: number;
  /** One line: the methods with their options. */
  readonly recipe: string;
  readonly seed: number;
  readonly engine: string;
  /** What to run again; its recipe is left out where code made a plugin. */
  readonly config: Config;
  readonly steps: number;
  /** Whether the run came to its end; else there is a checkpoint to go on from. */
  readonly finished: boolean;
  /** On the rows measured on; absent in a run saved between two epochs. */
  readonly metrics?: Readonly<Record<string, number>> | undefined;
  /** What the metrics would be on other rows of their kind: 95 of 100 times between these two. */
  readonly intervals?: Readonly<Record<string, Interval>> | undefined;
  /** The rows, by number and hash; absent in runs of earlier versions. */
  readonly data?: Readonly<Record<'train' | 'evaluation', DataRecord>> | undefined;
  /** On rows that chose nothing, where there were such. */
  readonly testMetrics?: Readonly<Record<string, number>> | undefined;
  /** The epoch (from 0) whose weights were kept. */
  readonly best?: { readonly value: number; readonly epoch: number } | undefined;
  readonly stopped?: string | undefined;
}

/** Rows as they were read. */
export interface DataRecord {
  readonly rows: number;
  /** Of texts and labels in their order: {@link hashOfRows}. */
  readonly sha256: string;
}

const ENTRIES = {
  ...{ version: true, task: true, data: true, maxLength: true, recipe: true, seed: true, engine: true },
  ...{ config: true, steps: true, finished: true, metrics: true, intervals: true },
  ...{ testMetrics: true, best: true, stopped: true },
} satisfies Record<keyof RunRecord, true>;

/**
 * Writes a run: a Hugging Face model folder with `hypetune.json` and, if given, a checkpoint. Whole or not at all. With `keepsOthers`
 * what somebody laid beside the files of a run that is there stays.
 */
export async function saveRun(
  folder: string,
  model: LayersModel,
  record: RunRecord,
  history: readonly CurveLine[],
  snapshot?: Snapshot,
  { keepsOthers = false }: { readonly keepsOthers?: boolean } = {},
): Promise<void> {
  await writeFolder(folder, async (fresh) => {
    await saveModel(model, fresh);
    await writeFile(join(fresh, RUN_RECORD), recordText(record));
    await writeFile(join(fresh, HISTORY), jsonLines(history));
    if (snapshot) await writeCheckpoint(join(fresh, CHECKPOINT), snapshot);
    await writeChecksums(fresh);
    await writeCard(fresh, folder, record);
    if (keepsOthers) await keepOthers(await othersIn(folder), folder, fresh);
  });
}

/** Takes a file or folder from one folder into another: a second name for the same where the disk has such, so that weights are not written again. */
async function keep(name: string, from: string, to: string): Promise<void> {
  await link(join(from, name), join(to, name)).catch(() =>
    cp(join(from, name), join(to, name), { recursive: true }),
  );
}

/** What was made meanwhile by the same name is of the run; what is gone by now is gone. */
async function keepOthers(names: readonly string[], from: string, to: string): Promise<void> {
  const made = await readdir(to);
  for (const name of names)
    if (!made.includes(name))
      await keep(name, from, to).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      });
}

/** What somebody put into the folder of a run: all that its list does not have. */
async function othersIn(folder: string): Promise<string[]> {
  const own = await listedFiles(folder);
  if (!own) return [];
  return (await readdir(folder)).filter((name) => ![...own, CHECKSUMS, CARD].includes(name));
}

/** Writes another record over that of a saved run, whole or not at all; the other files stay what they are. */
export async function saveRecord(
  folder: string,
  record: RunRecord,
  predicted: readonly PredictedRow[] = [],
): Promise<void> {
  await writeFolder(folder, async (fresh) => {
    const others = await othersIn(folder);
    for (const name of await readdir(folder))
      if (![RUN_RECORD, PREDICTED, CARD, CHECKSUMS, ...others].includes(name))
        await keep(name, folder, fresh);
    await writeFile(join(fresh, RUN_RECORD), recordText(record));
    if (predicted.length > 0) await writeFile(join(fresh, PREDICTED), jsonLines(predicted));
    await writeChecksums(fresh);
    await writeCard(fresh, folder, record);
    await keepOthers(others, folder, fresh);
  });
}

/** What a person who finds the folder wants to know. It may be edited, so that it comes after the checksums. */
async function writeCard(fresh: string, folder: string, record: RunRecord): Promise<void> {
  const config = modelConfig((await readJson(join(fresh, 'config.json'))) as Record<string, unknown>);
  const { maxLength } = record;
  const facts = { name: basename(resolve(folder)), config, labels: labelsOf(config) ?? [] };
  await writeFile(join(fresh, CARD), await modelCard({ ...facts, maxLength, record, precisions: [] }));
}

const recordText = (record: RunRecord): string => `${JSON.stringify(record, null, 2)}\n`;

/** Whether a folder holds a run, not only a model. */
export async function holdsRun(folder: string): Promise<boolean> {
  await recover(folder);
  return existsSync(join(folder, RUN_RECORD));
}

/** Throws where a folder is a saved run and a file of it not the one that was saved. A checkpoint, three times the weights, is checked where it is read. */
export const checkRun = (folder: string): Promise<void> =>
  checkChecksums(folder, (name) => name !== CHECKPOINT);

/** What a saved run says about itself; throws where the folder holds none, or not the files that were saved. */
export async function readRun(folder: string): Promise<RunRecord> {
  await recover(folder);
  if (!existsSync(join(folder, RUN_RECORD)))
    throw new HypetuneError(
      `${folder}: there is no ${RUN_RECORD}, so this is not a run saved by hypetune train.`,
    );
  await checkRun(folder);
  const file = join(folder, RUN_RECORD);
  const record = (await readJson(file)) as Partial<RunRecord> | null;
  if (record?.version !== 1)
    throw new HypetuneError(`${file}: version must be 1, got ${String(record?.version)}.`);
  const unknown = Object.keys(record).filter((name) => !(name in ENTRIES));
  if (unknown.length > 0)
    throw new HypetuneError(
      `${file}: a run has no entry '${unknown.join("', '")}'; it was saved by another version of hypetune.`,
    );
  const { metrics, testMetrics } = record;
  return {
    ...(record as RunRecord),
    ...(metrics && { metrics: withNaN(metrics) }),
    ...(testMetrics && { testMetrics: withNaN(testMetrics) }),
    config: checkConfig(record.config ?? {}, `${file}: config`),
  };
}

/** Figures as they were written: JSON holds null for what is no number. */
const withNaN = (figures: Readonly<Record<string, number | null>>): Record<string, number> =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, value ?? NaN]));

/** The curve of a run up to a step; empty for one that an earlier version saved. */
export async function readHistory(folder: string, last: number = Infinity): Promise<CurveLine[]> {
  const file = join(folder, HISTORY);
  if (!existsSync(file)) return [];
  return (await readLines<CurveLine>(file)).filter(({ step }) => step <= last);
}

/** Where a run stopped; throws where it was saved without a checkpoint, or it is not the one that was saved. */
export async function readRunCheckpoint(folder: string): Promise<Snapshot> {
  const file = join(folder, CHECKPOINT);
  if (!existsSync(file))
    throw new HypetuneError(
      `--resume: the run in ${folder} was saved without a checkpoint; begin another from its weights by --model ${folder}.`,
    );
  await checkChecksums(folder, (name) => name === CHECKPOINT);
  return readCheckpoint(file);
}

/** Saves a model as `step-N` in a folder of the last `count` ones; older ones go, never this one. */
export async function keepModel(
  folder: string,
  step: number,
  count: number,
  save: (folder: string) => Promise<void>,
): Promise<void> {
  await save(join(folder, `step-${step}`));
  const others = (await readdir(folder))
    .map((name) => Number(/^step-(\d+)$/.exec(name)?.[1] ?? NaN))
    .filter((found) => !Number.isNaN(found) && found !== step)
    .sort((a, b) => b - a);
  for (const old of others.slice(count - 1)) await rm(join(folder, `step-${old}`), { recursive: true });
}
