import { type Dataset, type Evaluation, type FitReport, type Snapshot, Trainer } from '@hypetune/core';
import { loadModel } from '@hypetune/models';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { showProgress } from './progress.js';
import type { Recipe } from './recipes.js';
import type { Settings } from './settings.js';
import type { Setup } from './setup.js';
import { note, type Terminal } from './terminal.js';

/** One fine-tuning run. */
export interface RunRequest {
  readonly setup: Setup;
  readonly settings: Settings;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly resume?: Snapshot | undefined;
  /** Print what the trainer will do. */
  readonly explain?: boolean | undefined;
  readonly onWarning: (message: string) => void;
  /** Called at the end of every epoch but the last. */
  readonly onEpoch?: ((model: LayersModel, snapshot: Snapshot) => Promise<void>) | undefined;
}

export interface RunResult {
  readonly report: FitReport;
  /** Undefined where a signal stopped the run. */
  readonly evaluation: Evaluation | undefined;
  /** Where it stopped, if a signal stopped it. */
  readonly snapshot: Snapshot | undefined;
  /** The caller's, to save and to dispose. */
  readonly model: LayersModel;
}

/** Loads the model, trains it by the recipe and measures it. */
export async function run(request: RunRequest): Promise<RunResult> {
  const { setup, recipe, seed, settings, terminal, signal, resume } = request;
  const { task } = setup;
  const labels = task.kind === 'regression' ? 1 : task.labels;
  const { model } = await loadModel(setup.folder, { labels, seed });
  try {
    const trainer = trainerFor(model, request);
    if (request.explain) note(terminal, trainer.explain());
    let snapshot: Snapshot | undefined;
    trainer.hooks.onFitEnd.tapPromise('run', async () => {
      if (signal.aborted) snapshot = await trainer.snapshot();
    });
    if (request.onEpoch)
      trainer.hooks.onEpoch.tapPromise('run', async ({ step }) => {
        if (!signal.aborted && step < total) await request.onEpoch!(model, await trainer.snapshot());
      });
    const progress = showProgress(terminal, `${recipe.name} · seed ${seed}`);
    let total = Infinity;
    trainer.hooks.onStep.tap('run', (report) => {
      total = report.total;
      progress.step(report);
    });
    const report = await trainer
      .fit(setup.train, {
        signal,
        ...(settings.keepBest !== undefined && { validation: setup.evaluation }),
        ...(resume && { resume }),
      })
      .finally(() => {
        progress.stop();
      });
    const evaluation = report.stopped === 'signal' ? undefined : await trainer.evaluate(setup.evaluation);
    return { report, evaluation, snapshot, model };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

function trainerFor(model: LayersModel, request: RunRequest): Trainer {
  const { setup, recipe, seed, settings } = request;
  const { learningRate, weightDecay, warmup, decay, clipNorm } = settings;
  const { batchSize, evaluationBatchSize, accumulate, epochs, steps } = settings;
  return new Trainer({
    model,
    plugins: recipe.plugins(),
    dropout: recipe.dropout,
    task: setup.task.kind,
    metrics: setup.task.metrics,
    seed,
    optimizer: given({ learningRate, weightDecay }),
    schedule: given({ warmup, decay }),
    ...given({ clipNorm, batchSize, evaluationBatchSize, accumulate, epochs, steps }),
    lengthMultiple: settings.lengthMultiple ?? lengthStep(setup),
    ...given({ groupByLength: settings.groupByLength }),
    ...given({ keepBest: settings.keepBest, patience: settings.patience, compile: settings.compile }),
    onWarning: request.onWarning,
  });
}

/** An engine compiles a step anew for each length, at the price of some ten steps: three lengths are a fair deal. */
const LENGTHS = 3;

/** A third of the longest row, in whole eights; a function of the data alone, so that every recipe sees the same batches. */
function lengthStep({ train, evaluation }: Setup): number {
  const longest = Math.max(longestRow(train), longestRow(evaluation));
  return Math.ceil(longest / LENGTHS / 8) * 8;
}

function longestRow(data: Dataset): number {
  let longest = 1;
  for (let row = 0; row < data.size; row += 1) longest = Math.max(longest, data.length!(row));
  return longest;
}

/** The options that were given: the trainer's defaults stand for the others. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
