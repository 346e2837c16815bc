import { chooseLengths, type Evaluation, type FitReport, type Snapshot, Trainer } from '@hypetune/core';
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
  /** Called when the run came to its end, before it is measured. */
  readonly onTrained?: ((model: LayersModel, report: FitReport) => Promise<void>) | undefined;
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
  const { model, notes } = await loadModel(setup.folder, { task: task.task, seed });
  for (const line of notes) request.onWarning(line);
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
    if (report.stopped === 'signal') return { report, evaluation: undefined, snapshot, model };
    await request.onTrained?.(model, report);
    const evaluation = await trainer.evaluate(setup.evaluation);
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
  const { lengthMultiple, groupByLength } = settings;
  return new Trainer({
    model,
    plugins: recipe.plugins(),
    dropout: recipe.dropout,
    task: setup.task.task,
    metrics: setup.task.metrics,
    seed,
    optimizer: given({ learningRate, weightDecay }),
    schedule: given({ warmup, decay }),
    ...given({ clipNorm, batchSize, evaluationBatchSize, accumulate, epochs, steps }),
    ...given({ groupByLength, lengthMultiple }),
    lengths:
      lengthMultiple === undefined ? chooseLengths(setup.train, given({ batchSize, groupByLength })) : [],
    ...given({ keepBest: settings.keepBest, patience: settings.patience, compile: settings.compile }),
    ...given({ precision: settings.precision, recompute: settings.recompute }),
    onWarning: request.onWarning,
  });
}

/** The options that were given: the trainer's defaults stand for the others. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
