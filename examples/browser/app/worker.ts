/** Trains and predicts beside the page, which stays free; everything stays in this browser. */
import { namedMetric, singleLabel, Trainer } from '@hypetune/core';
import { useWasm } from '@hypetune/engine/browser';
import {
  blobFolder,
  labelsOf,
  type LoadedModel,
  positionsOf,
  readModel,
  readTokenizer,
  type Tokenizer,
} from '@hypetune/models/browser';
import { tunedFiles, zipped } from './export.js';
import type { Files, Report, Request, Row, Settings } from './messages.js';
import { RECIPES } from './recipes.js';
import { forget, type History, load, loadSnapshot, save, saveSnapshot } from './store.js';
import { split, texts } from './texts.js';

/** Tokens that a text is cut to. */
const LENGTH = 128;
/** Milliseconds between two snapshots: what a closed tab loses at most. */
const EVERY = 60_000;

const tell = (report: Report): void => {
  postMessage(report);
};

/** The tuned model. */
interface Tuned {
  readonly loaded: LoadedModel;
  readonly trainer: Trainer;
  readonly tokenizer: Tokenizer;
  readonly files: Files;
}
let tuned: Tuned | undefined;
/** The one model that is in memory, tuned or not. */
let opened: LoadedModel | undefined;
let stopping = new AbortController();

const engine = useWasm({ binaries: new URL('wasm/', location.href).href });

async function train(files: Files, rows: readonly Row[], settings: Settings, resume = false): Promise<void> {
  close();
  tell({ type: 'status', text: 'Reading the model…' });
  const threads = await engine;
  const folder = blobFolder('the model', files);
  const { labels, train, evaluation } = split(rows);
  const task = singleLabel({ labels });
  const loaded = (opened = await readModel(folder, { task }));
  const tokenizer = await readTokenizer(folder);
  const maxLength = Math.min(LENGTH, positionsOf(loaded.config));
  const { recipe, epochs, learningRate } = settings;
  const trainer = new Trainer({
    ...{ model: loaded.model, task, metrics: [namedMetric('accuracy')], epochs, lengthMultiple: 1 },
    ...{ optimizer: { learningRate }, ...RECIPES[recipe]() },
    onWarning: (text) => {
      tell({ type: 'status', text });
    },
  });
  const saved = resume ? await loadSnapshot() : undefined;
  const history: History[number][] = [...(saved?.history ?? [])];
  history.forEach(tell);
  const report = (entry: History[number]): void => {
    history.push(entry);
    tell(entry);
  };
  trainer.hooks.onStep.tap('page', ({ step, total, loss }) => {
    report({ type: 'step', step, total, loss });
  });
  trainer.hooks.onEvaluation.tap('page', ({ step, metrics }) => {
    report({ type: 'evaluation', step, accuracy: metrics['accuracy']! });
  });
  let last = performance.now();
  const keep = async (): Promise<void> => {
    // A full disk is no reason to stop.
    await saveSnapshot(await trainer.snapshot(), history).catch((error: unknown) => {
      tell({ type: 'status', text: `The run goes on, but could not be kept: ${String(error)}` });
    });
    last = performance.now();
  };
  trainer.hooks.onPause.tapPromise('page', async () => {
    if (performance.now() - last > EVERY) await keep();
  });
  trainer.hooks.onFitEnd.tapPromise('page', async () => {
    if (stopping.signal.aborted) await keep();
  });
  tell({
    type: 'status',
    text: `Training on ${train.length} rows, measuring on ${evaluation.length}, ${threads} thread${threads > 1 ? 's' : ''}.`,
  });
  const { stopped, seconds, steps } = await trainer.fit(texts(tokenizer, maxLength, train, labels), {
    validation: texts(tokenizer, maxLength, evaluation, labels),
    signal: stopping.signal,
    ...(saved && { resume: saved.snapshot }),
  });
  tuned = { loaded, trainer, tokenizer, files: await tunedFiles(loaded.model, folder, maxLength) };
  if (stopped === undefined) {
    await save('tuned', tuned.files);
    await forget('run');
    await forget('snapshot');
  }
  tell({
    type: 'trained',
    stopped: stopped !== undefined,
    text: `${stopped ? 'Stopped' : 'Finished'} after ${steps} steps, ${(seconds / 60).toFixed(1)} minutes of them now.`,
  });
}

/** Opens a model that an earlier visit has tuned. */
async function open(files: Files): Promise<void> {
  await engine;
  const folder = blobFolder('the tuned model', files);
  const loaded = (opened = await readModel(folder));
  const trainer = new Trainer({
    model: loaded.model,
    task: singleLabel({ labels: labelsOf(loaded.config)! }),
  });
  tuned = { loaded, trainer, tokenizer: await readTokenizer(folder), files };
}

function close(): void {
  opened?.model.dispose();
  opened = tuned = undefined;
}

async function predict(text: string): Promise<void> {
  const { loaded, trainer, tokenizer } = tuned!;
  const labels = labelsOf(loaded.config)!;
  const maxLength = Math.min(LENGTH, positionsOf(loaded.config));
  const [prediction] = await trainer.predictions(texts(tokenizer, maxLength, [{ text }], labels));
  const { scores } = prediction!;
  tell({ type: 'answer', probabilities: labels.map((label, i) => [label, scores[i]!] as const) });
}

async function lookBack(): Promise<void> {
  const [run, files] = [await load('run'), await load('tuned')];
  if (run) {
    const meta = (await load('snapshot'))?.meta;
    const at = meta ? `at step ${meta.step} of ${meta.total}` : 'at its start';
    tell({ type: 'found', what: 'run', text: `A run on ${run.rows.length} rows was left ${at}.` });
  } else if (files) {
    await open(files);
    tell({ type: 'found', what: 'model', text: 'The model that was tuned here last is ready.' });
  } else {
    await engine;
    tell({ type: 'found', what: 'nothing', text: 'Choose a model and a table.' });
  }
}

async function answer(request: Request): Promise<void> {
  switch (request.type) {
    case 'train': {
      stopping = new AbortController();
      const { files, rows, settings } = request;
      split(rows); // what is wrong with the rows is said before anything is saved
      await forget();
      await save('run', { files, rows, settings });
      return train(files, rows, settings);
    }
    case 'resume': {
      stopping = new AbortController();
      const { files, rows, settings } = (await load('run'))!;
      return train(files, rows, settings, true);
    }
    case 'stop':
      stopping.abort();
      return;
    case 'forget':
      close();
      return forget();
    case 'predict':
      return predict(request.text);
    case 'export':
      tell({ type: 'folder', zip: await zipped(tuned!.loaded.model, tuned!.files) });
  }
}

const attempt = (work: Promise<void>): void => {
  work.catch((error: unknown) => {
    tell({ type: 'error', text: error instanceof Error ? error.message : String(error) });
  });
};
onmessage = ({ data }: MessageEvent<Request>) => {
  attempt(answer(data));
};
tell({ type: 'recipes', names: Object.keys(RECIPES) });
attempt(lookBack());
