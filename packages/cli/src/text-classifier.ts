import { Writable } from 'node:stream';
import { type Evaluation, type FitReport, HypetuneError, type TaskName } from '@hypetune/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkOutput } from './atomic.js';
import { checkConfig, type Config } from './config-file.js';
import { showDownloads } from './download.js';
import { startEngine } from './engine.js';
import { type Methods, modulePath, openModules, withMetrics } from './methods.js';
import { namedRecipe, type Recipe, recipeOf } from './recipes.js';
import { type RunRecord, saveRun } from './run-folder.js';
import { recordOf } from './run-record.js';
import { run } from './run.js';
import { disposeModels, openModels } from './recipe-models.js';
import { openSaved, type Said, savedTask, type TrainedModel, trainedModel } from './saved-model.js';
import { prepareTask } from './setup.js';
import type { CurveLine } from './store/record.js';
import { layoutOf } from './tasks/layout.js';
import { settledTask } from './tasks/open-task.js';
import { problemName } from './tasks/problems.js';
import { tableOfRecords } from './tasks/table.js';
import { taskOfTables } from './tasks/table-task.js';
import type { TextRow } from './tasks/task.js';
import { type Terminal, warnOnce } from './terminal.js';

/** A text to predict: one, a pair of them, or the words of a sentence. */
export interface TextInput {
  readonly text?: string;
  readonly pair?: string;
  /** For `token-classification`, instead of `text`. */
  readonly words?: readonly string[];
}

/** A text and what is to be said of it. */
export interface TextExample extends TextInput {
  /** A class by its name; a number (or several) for `regression`; names for `multi-label`; a name for each word for `token-classification`. */
  readonly label: string | number | boolean | readonly (string | number)[];
}

/** What a model says of one text. */
export interface TextPrediction {
  /** The class; of `classification` alone. */
  readonly label?: string;
  /** The labels that hold (`multi-label`), or one for each word, null for a word beyond the length (`token-classification`). */
  readonly labels?: readonly (string | null)[];
  /** The value of each target; of `regression` alone. */
  readonly values?: Readonly<Record<string, number>>;
  /** Of each class or label; empty where there are none. */
  readonly probabilities: Readonly<Record<string, number>>;
}

/** What both a saved and a freshly tuned model can do. Calls may overlap; they run one after the other. */
export interface TextModel {
  readonly kind: TaskName;
  /** Classes, labels or targets in the order of the outputs. */
  readonly labels: readonly string[];
  /** What the model says of each text. Throws where it was disposed of. */
  predict(texts: readonly (string | TextInput)[]): Promise<TextPrediction[]>;
  /** Loss and metrics on rows whose labels are known. Throws, naming the row, on a label that the model does not know. */
  evaluate(rows: readonly TextExample[]): Promise<Evaluation>;
  /** Frees the weights. */
  dispose(): void;
}

/** How a {@link TextClassifier} is tuned: the settings of `hypetune train` but for those that say where rows come from, which are given. */
export type TextClassifierOptions = Omit<
  Config,
  | ('task' | 'data' | 'train' | 'validation' | 'textColumn' | 'pairColumn' | 'labelColumn')
  | ('labelColumns' | 'labelSeparator' | 'delimiter' | 'encoding' | 'recipes' | 'seeds')
  | ('test' | 'grid' | 'tasks' | 'claim' | 'log' | 'saveEvery' | 'keepLast')
> & {
  /** Told what the command would print while it trains, a line at a time. Default: warnings alone, to `console.warn`. */
  readonly log?: (line: string) => void;
};

export interface TextFitOptions {
  /** Rows to measure on. Default: a tenth of the rows is set aside for it. */
  readonly validation?: readonly TextExample[];
  /** Stops at the next step; the promise is then rejected. */
  readonly signal?: AbortSignal;
}

/** How a fit went: the figures on the rows measured on, and those of the training. */
export interface TextFit extends Evaluation {
  readonly training: FitReport;
}

/** Texts on which a model predicts and is measured. */
class Predicting implements TextModel {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #model: TrainedModel | undefined;

  constructor(
    model: TrainedModel,
    readonly kind: TaskName,
    readonly labels: readonly string[],
    readonly pair: boolean | undefined,
    readonly terminal: Terminal,
  ) {
    this.#model = model;
  }

  async predict(texts: readonly (string | TextInput)[]): Promise<TextPrediction[]> {
    const rows = texts.map((text, place) => this.#row(typeof text === 'string' ? { text } : text, place));
    return this.#next(async (model) => {
      if (rows.length === 0) return [];
      const data = await model.data(rows, this.terminal);
      return (await model.say(rows, data, this.terminal)).map(predictionOf);
    });
  }

  async evaluate(examples: readonly TextExample[]): Promise<Evaluation> {
    const pair = examples.findIndex((example) => example.pair !== undefined);
    if (this.pair === false && pair >= 0)
      throw new HypetuneError(`evaluate: row ${pair + 1} must be one text, not a pair.`);
    return this.#next(async (model) => {
      const layout = layoutOf(columnsOf(this.kind, this.pair ?? pair >= 0), this.kind, this.labels);
      const rows = layout.rows(tableOfRecords(examples.map(withWords(this.kind)), 'rows'));
      return model.trainer.evaluate(await model.data(rows, this.terminal));
    });
  }

  dispose(): void {
    const model = this.#model;
    this.#model = undefined;
    // What is under way comes to its end first.
    if (this.#waiting === 0) model?.dispose();
    else void this.#last.finally(() => model?.dispose());
  }

  /** A trainer does one thing at a time. */
  #next<T>(work: (model: TrainedModel) => Promise<T>): Promise<T> {
    const model = this.#model;
    if (!model) return Promise.reject(new HypetuneError('the model was disposed of.'));
    this.#waiting += 1;
    const result = this.#last
      .then(() => work(model))
      .finally(() => {
        this.#waiting -= 1;
      });
    this.#last = result.catch(() => undefined);
    return result;
  }

  #row(input: TextInput, place: number): TextRow {
    const { text, pair, words } = withWords(this.kind)(input) as TextInput;
    if (words) return { text: words.join(' '), words };
    if (text === undefined || (this.pair !== undefined && (pair !== undefined) !== this.pair))
      throw new HypetuneError(
        `predict: text ${place + 1} must be ${this.pair ? 'a pair, { text, pair }' : 'one text, not a pair'}.`,
      );
    return pair === undefined ? { text } : { text, pair };
  }
}

/** A text's words stand for it where words are labelled; those of a plain text lie between spaces. */
const withWords =
  (kind: TaskName) =>
  <T extends TextInput>(input: T): T => {
    if (kind !== 'token-classification') return input;
    return { ...input, words: input.words ?? (input.text ?? '').trim().split(/\s+/) };
  };

const columnsOf = (kind: TaskName, pair: boolean): Config => ({
  textColumn: kind === 'token-classification' ? 'words' : 'text',
  labelColumn: 'label',
  ...(pair && { pairColumn: 'pair' }),
});

function predictionOf({ said, probabilities }: Said): TextPrediction {
  const entries = Object.entries(said);
  const values = entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return {
    ...(Object.fromEntries(entries.filter(([, value]) => typeof value !== 'number')) as object),
    ...(values.length > 0 && { values: Object.fromEntries(values) }),
    probabilities: Object.fromEntries(probabilities),
  };
}

/**
 * Opens a run that `hypetune train` or a {@link TextClassifier} saved, or a classifier that `transformers` saved. `engine`: force one;
 * default: the fastest that works. Throws where the folder holds no trained classifier.
 */
export async function openRun(
  folder: string,
  { engine, log }: Pick<TextClassifierOptions, 'engine' | 'log'> = {},
): Promise<TextModel> {
  const saved = await savedTask(folder);
  const terminal = terminalOf(log);
  await startEngine(terminal, engine);
  return new Predicting(await openSaved(folder, saved), saved.kind, saved.labels, saved.pair, terminal);
}

/** What a fit leaves. */
interface Trained {
  readonly model: LayersModel;
  readonly record: RunRecord;
  readonly history: readonly CurveLine[];
  readonly predicting: Predicting;
}

/** Fine-tunes a pre-trained encoder on texts and labels, and predicts. Throws on a setting that is wrong. */
export class TextClassifier implements TextModel {
  readonly #config: Config;
  readonly #terminal: Terminal;
  #trained: Trained | undefined;

  constructor({ log, ...config }: TextClassifierOptions = {}) {
    this.#config = checkConfig(config, 'TextClassifier');
    this.#terminal = terminalOf(log);
  }

  get kind(): TaskName {
    return problemName(this.#config);
  }

  get labels(): readonly string[] {
    return this.#fitted().predicting.labels;
  }

  /** Tunes the pre-trained model on these rows, from the start at every call. Throws, naming the row, on a row that does not fit. */
  async fit(rows: readonly TextExample[], { validation, signal }: TextFitOptions = {}): Promise<TextFit> {
    const methods = this.#config.methods?.map((module) => modulePath(module, 'TextClassifier'));
    const isPair = rows.some(({ pair }) => pair !== undefined);
    const config = { ...this.#config, ...(methods && { methods }), ...columnsOf(this.kind, isPair) };
    const modules = await openModules(methods);
    const recipe = recipeOfConfig(config, modules.methods);
    const settings = withMetrics(config, modules);
    const { seed = 0 } = config;
    const terminal = this.#terminal;
    const table = (examples: readonly TextExample[], name: string): ReturnType<typeof tableOfRecords> =>
      tableOfRecords(examples.map(withWords(this.kind)), name);
    const task = settledTask(
      taskOfTables(settings, table(rows, 'rows'), validation && table(validation, 'validation')),
      settings,
    );
    const setup = await prepareTask(task, settings, terminal, signal);
    const engine = await startEngine(terminal, config.engine);
    const history: CurveLine[] = [];
    const models = await openModels(recipe.models, setup, showDownloads(terminal, signal));
    const { report, evaluation, model } = await run({
      ...{ setup, settings, recipe, seed, terminal, models },
      signal: signal ?? new AbortController().signal,
      onLine: (line) => history.push(line),
      onWarning: warnOnce(terminal),
    }).finally(() => {
      disposeModels(models);
    });
    if (!evaluation) {
      model.dispose();
      throw signal?.reason ?? new HypetuneError('the fit was stopped.');
    }
    this.dispose();
    const record = recordOf({ setup, config, recipe, seed, engine });
    const trained = trainedModel(model, task.task, setup.text, { metrics: task.metrics });
    const { kind, labels, pair } = record.task;
    this.#trained = {
      ...{ model, history },
      record: { ...record, steps: report.steps, finished: true, metrics: evaluation.metrics },
      predicting: new Predicting(trained, kind, labels, pair, terminal),
    };
    return { ...evaluation, training: report };
  }

  async predict(texts: readonly (string | TextInput)[]): Promise<TextPrediction[]> {
    return this.#fitted().predicting.predict(texts);
  }

  async evaluate(rows: readonly TextExample[]): Promise<Evaluation> {
    return this.#fitted().predicting.evaluate(rows);
  }

  /** Writes the tuned model as a run's folder, for `openRun`, `hypetune predict` and `transformers`. Throws where the folder holds something else. */
  async save(folder: string, { force = false }: { readonly force?: boolean } = {}): Promise<void> {
    const { model, record, history } = this.#fitted();
    await checkOutput(folder, force);
    await saveRun(folder, model, record, history);
  }

  dispose(): void {
    this.#trained?.predicting.dispose();
    this.#trained = undefined;
  }

  #fitted(): Trained {
    if (this.#trained) return this.#trained;
    throw new HypetuneError('TextClassifier: there is no tuned model; call fit first.');
  }
}

function recipeOfConfig({ recipe = 'hype' }: Config, known: Methods): Recipe {
  return typeof recipe === 'string'
    ? namedRecipe(recipe, {}, known)
    : recipeOf(recipe, { known, single: true });
}

/** A terminal whose notes go to a function, line by line. */
function terminalOf(log: (line: string) => void = warningsAlone): Terminal {
  let rest = '';
  const lines = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop()!;
      for (const line of parts) log(line);
      done();
    },
  });
  return { out: lines, error: lines };
}

function warningsAlone(line: string): void {
  if (line.startsWith('warning: ')) console.warn(line);
}
