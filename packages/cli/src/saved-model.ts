import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  HypetuneError,
  type Metric,
  type PrecisionOption,
  resolveMetrics,
  type Task,
  type TaskName,
  Trainer,
} from '@hypetune/core';
import { headOf, labelsOf, loadModel, loadTokenizer, modelConfig, positionsOf } from '@hypetune/models';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Config } from './config-file.js';
import { readJson } from './json-file.js';
import { counted } from './progress.js';
import { holdsRun, readRun, type RunRecord } from './run-folder.js';
import { type TextOptions, textOptions, tokenized } from './setup.js';
import { shellWord } from './shell-word.js';
import { weightedTask } from './tasks/open-task.js';
import { problemOf } from './tasks/problems.js';
import type { Row, TextRow } from './tasks/task.js';
import type { TextData } from './tasks/text-data.js';
import { note, type Terminal } from './terminal.js';

/** What is known of a saved model before it is loaded. */
export interface SavedTask extends Omit<RunRecord['task'], 'name' | 'metrics' | 'pair'> {
  /** Whether a row is a pair of texts; undefined of a model that another tool trained, which takes both. */
  readonly pair: boolean | undefined;
  readonly metrics?: readonly string[] | undefined;
  /** Tokens a row is cut to. */
  readonly maxLength: number;
  /** What the run was told; nothing of a model that another tool trained. */
  readonly config: Config;
  /** False where the run goes on. */
  readonly finished: boolean;
}

/** Says how a run that is not finished goes on. */
export function noteUnfinished(terminal: Terminal, folder: string, { finished }: SavedTask): void {
  if (!finished)
    note(terminal, `${folder}: the run is not finished; go on with --resume ${shellWord(folder)}`);
}

/** What is said of a row: class, labels or values by the name of their column, and a probability for each class or label. */
export interface Said {
  readonly said: Readonly<Record<string, string | number | readonly (string | null)[]>>;
  readonly probabilities: readonly (readonly [name: string, probability: number])[];
}

/** A trained model, ready to predict. */
export interface TrainedModel {
  readonly trainer: Trainer;
  /** Rows in the form that the model was trained on, tokenized with word of the progress. */
  data(rows: readonly (Row | TextRow)[], terminal: Terminal): Promise<TextData>;
  /** What the model says of each of the rows that `data` was made of; of words, one label a word, null for one that was cut off. */
  say(rows: readonly TextRow[], data: TextData, terminal: Terminal): Promise<Said[]>;
  dispose(): void;
}

/** How a saved model is to compute. */
export interface Computing {
  /** What is measured; the task's metrics unless given. */
  readonly metrics?: readonly (string | Metric)[] | undefined;
  /** Default float32. */
  readonly precision?: PrecisionOption | undefined;
  readonly onWarning?: ((message: string) => void) | undefined;
}

/** Rows that are measured or predicted at once, of like length, padded to a multiple of 8 tokens. */
const BATCH = { evaluationBatchSize: 32, lengthMultiple: 8 };

/** A model with its task and its tokenizer. */
export function trainedModel(
  model: LayersModel,
  task: Task,
  text: TextOptions,
  { metrics, precision = 'float32', onWarning }: Computing = {},
): TrainedModel {
  const trainer = new Trainer({
    ...{ model, task, precision, ...BATCH },
    ...(onWarning && { onWarning }),
    ...(metrics && { metrics: resolveMetrics(metrics) }),
  });
  return {
    trainer,
    data: (rows, terminal) => tokenized(rows, text, terminal),
    say: async (rows, data, terminal) => {
      const predictions = await trainer.predictions(counted(data, terminal, 'labelled'));
      return rows.map(({ words }, index) => {
        const { said, probabilities } = task.say(predictions[index]!);
        if (!words) return { said, probabilities };
        // One label a word: that of its first token; none for a word beyond the length.
        const labels = said.labels as readonly string[];
        const ofWords = data.wordTokens(index).map((token) => (token === undefined ? null : labels[token]!));
        return { said: { labels: ofWords }, probabilities };
      });
    },
    dispose: () => {
      model.dispose();
    },
  };
}

/** What a folder's model is for: a run of `hypetune train`, or a classifier that `transformers` saved. */
export async function savedTask(folder: string): Promise<SavedTask> {
  if (!(await holdsRun(folder))) return taskOfModel(folder);
  const { task, maxLength, config, finished } = await readRun(folder);
  return { ...task, maxLength, config, finished };
}

/** Loads the model of a folder, to predict with or to measure. Throws where it has no trained head. */
export async function openSaved(
  folder: string,
  saved: SavedTask,
  computing: Computing = {},
): Promise<TrainedModel> {
  const options = await textOptions(folder, saved.maxLength);
  const { model, head } = await loadModel(folder);
  if (head.head === 'new') {
    model.dispose();
    throw new HypetuneError(
      `${folder}: the checkpoint has no classifier; train one by hypetune train --model.`,
    );
  }
  const task = weightedTask(problemOf(saved.kind).task(saved.labels), saved.classWeights, saved.config);
  return trainedModel(model, task, options, computing);
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
    pair: kind === 'token-classification' ? false : undefined,
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
