import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HypetuneError } from '@hypetune/core';
import { loadModel, resolveModel } from '@hypetune/models';
import { showDownloads } from '../download.js';
import { savedTask } from '../saved-model.js';
import { checkModel, noteData, textOptions, tokenized } from '../setup.js';
import { type Settings, settingsWith } from '../settings.js';
import { checkTask } from '../tasks/open-task.js';
import { problemOf } from '../tasks/problems.js';
import type { Row } from '../tasks/task.js';
import type { Terminal } from '../terminal.js';
import { eachState, type RowState, specialTokens } from './hidden-states.js';

/** The settings of the rows that an analysis reads. */
export const ROWS = [
  ...[
    'task',
    'data',
    'train',
    'problem',
    'validation',
    'textColumn',
    'pairColumn',
    'labelColumn',
    'delimiter',
  ],
  ...['encoding', 'limit', 'limitPerClass', 'evaluationLimit', 'maxLength'],
] as const satisfies readonly (keyof Settings)[];

/** The settings of the task that the flags name, else of that of the first model, which then is a run. Throws where one names what is not there. */
export async function analysedSettings(models: readonly string[], settings: Settings): Promise<Settings> {
  const named = settings.task ?? settings.train;
  const [first] = models;
  const config = named === undefined && existsSync(first!) ? (await savedTask(first!)).config : {};
  if (named === undefined && config.task === undefined && config.train === undefined)
    throw new HypetuneError(`--task: ${first!} has no rows of its own; name a task, or a table by --train.`);
  const found = settingsWith({ ...config, keepBest: undefined, metrics: undefined }, settings);
  checkTask(found);
  for (const name of models) await checkModel(name);
  return found;
}

/** A run, a folder of a model or a source of one, its layers looked at over rows. */
export interface AnalysedModel {
  readonly name: string;
  /** Calls `visit` with each row's states; how many layers there are, the embeddings counted. */
  states(rows: readonly Row[], visit: (state: RowState) => void): Promise<number>;
  dispose(): void;
}

export async function openAnalysed(
  name: string,
  { maxLength }: Settings,
  terminal: Terminal,
): Promise<AnalysedModel> {
  const isFolder = existsSync(join(name, 'config.json'));
  const folder = isFolder ? name : await showDownloads(terminal)((options) => resolveModel(name, options));
  const saved = await savedTask(folder);
  const options = await textOptions(folder, maxLength ?? (isFolder ? saved.maxLength : undefined));
  const { model } = await loadModel(folder);
  const task = problemOf(saved.kind).task(saved.labels);
  const special = specialTokens(options.tokenizer);
  return {
    name,
    states: async (rows, visit) => {
      const data = await tokenized(rows, options, terminal);
      noteData(terminal, rows, data.cut, options.maxLength);
      return eachState(model, task, data, special, visit);
    },
    dispose: () => {
      model.dispose();
    },
  };
}
