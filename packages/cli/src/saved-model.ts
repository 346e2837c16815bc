import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { HypetuneError, type MetricName, type PrecisionOption, type TaskName, Trainer } from '@hypetune/core';
import { headOf, labelsOf, loadModel, loadTokenizer, modelConfig, positionsOf } from '@hypetune/models';
import type { Config } from './config-file.js';
import { readJson } from './json-file.js';
import { holdsRun, readRun, type RunRecord } from './run-folder.js';
import { textOptions } from './setup.js';
import { weightedTask } from './tasks/open-task.js';
import { problemOf } from './tasks/problems.js';
import type { Row, TextRow } from './tasks/task.js';
import { type TextData, textData } from './tasks/text-data.js';

/** What is known of a saved model before it is loaded. */
export interface SavedTask extends Omit<RunRecord['task'], 'name' | 'metrics'> {
  readonly metrics?: readonly MetricName[] | undefined;
  /** Tokens a row is cut to. */
  readonly maxLength: number;
  /** What the run was told; nothing of a model that another tool trained. */
  readonly config: Config;
  /** False where the run goes on. */
  readonly finished: boolean;
}

/** A saved model, ready to predict. */
export interface SavedModel {
  readonly trainer: Trainer;
  /** Rows in the form that the model was trained on. */
  data(rows: readonly (Row | TextRow)[]): TextData;
  dispose(): void;
}

/** What a folder's model is for: a run of `hypetune train`, or a classifier that `transformers` saved. */
export async function savedTask(folder: string): Promise<SavedTask> {
  if (!(await holdsRun(folder))) return taskOfModel(folder);
  const { task, maxLength, config, finished } = await readRun(folder);
  return { ...task, maxLength, config, finished };
}

/** How a saved model is to compute. */
export interface Computing {
  /** Default float32. */
  readonly precision?: PrecisionOption | undefined;
  readonly onWarning: (message: string) => void;
}

/** Rows that are measured or predicted at once, of like length, padded to a multiple of 8 tokens. */
const BATCH = { evaluationBatchSize: 32, lengthMultiple: 8 };

/** Loads the model of a folder. Throws where it has no trained head. */
export async function openSaved(
  folder: string,
  saved: SavedTask,
  { precision = 'float32', onWarning }: Computing,
): Promise<SavedModel> {
  const options = await textOptions(folder, saved.maxLength);
  const { model, head } = await loadModel(folder);
  if (head.head === 'new') {
    model.dispose();
    throw new HypetuneError(
      `${folder}: the checkpoint has no classifier; train one by hypetune train --model.`,
    );
  }
  const task = weightedTask(problemOf(saved.kind).task(saved.labels), saved.classWeights, saved.config);
  const { metrics } = saved;
  return {
    trainer: new Trainer({ model, task, precision, onWarning, ...BATCH, ...(metrics && { metrics }) }),
    data: (rows) => textData(rows, options),
    dispose: () => {
      model.dispose();
    },
  };
}

async function taskOfModel(folder: string): Promise<SavedTask> {
  const file = join(folder, 'config.json');
  if (!existsSync(file))
    throw new HypetuneError(
      `${folder}: there is no hypetune.json nor a config.json, so this is neither a run nor a model.`,
    );
  const config = modelConfig({ ...((await readJson(file)) as object) }, file);
  const count = (config.num_labels as number | undefined) ?? 2;
  const labels = labelsOf(config) ?? Array.from({ length: count }, (_, index) => `LABEL_${index}`);
  const kind = kindOf(headOf(config), config.problem_type, labels.length);
  const { maxLength = Infinity } = await loadTokenizer(folder);
  return {
    kind,
    // A single value has no name of its own in such a folder.
    labels: kind === 'regression' && labels.length === 1 ? [] : labels,
    pair: false,
    maxLength: Math.min(maxLength, positionsOf(config), LONGEST),
    config: {},
    finished: true,
  };
}

/** Tokens of a row where neither tokenizer nor model has a limit. */
const LONGEST = 512;

/** As `transformers` decides it: by the class, by `problem_type`, else one output is a value. */
function kindOf(head: ReturnType<typeof headOf>, problem: unknown, outputs: number): TaskName {
  if (head === 'TokenClassification') return 'token-classification';
  if (problem === 'multi_label_classification') return 'multi-label';
  return problem === 'regression' || (problem !== 'single_label_classification' && outputs === 1)
    ? 'regression'
    : 'classification';
}
