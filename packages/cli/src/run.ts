import { chooseLengths, type Evaluation, type FitReport, type Snapshot, Trainer } from '@hypetune/core';
import { loadModel } from '@hypetune/models';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { counted, showProgress } from './progress.js';
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
  /** Take a snapshot at the end of the run too, from which it can be made longer. */
  readonly extendable?: boolean | undefined;
  /** Print what the trainer will do. */
  readonly explain?: boolean | undefined;
  readonly onWarning: (message: string) => void;
  /** Called with what is worth knowing once, not at each run of a comparison. */
  readonly onNote?: ((line: string) => void) | undefined;
  /** Called at the end of every epoch but the last. */
  readonly onEpoch?: ((model: LayersModel, snapshot: Snapshot) => Promise<void>) | undefined;
  /** Called when the run came to its end, before it is measured. */
  readonly onTrained?:
    ((model: LayersModel, report: FitReport, snapshot: Snapshot | undefined) => Promise<void>) | undefined;
}

export interface RunResult {
  readonly report: FitReport;
  /** Undefined where a signal stopped the run. */
  readonly evaluation: Evaluation | undefined;
  /** Where it stopped, if a signal stopped it or the run is extendable. */
  readonly snapshot: Snapshot | undefined;
  /** The caller's, to save and to dispose. */
  readonly model: LayersModel;
}

/** Loads the model, trains it by the recipe and measures it. */
export async function run(request: RunRequest): Promise<RunResult> {
  const { setup, recipe, seed, settings, terminal, signal, resume } = request;
  const { task } = setup;
  const { model, notes, head } = await loadModel(setup.folder, { task: task.task, seed });
  for (const line of notes) request.onWarning(line);
  if (head.head === 'kept' && !resume)
    request.onNote?.("the head is the checkpoint's and goes on learning: its outputs are the same");
  try {
    const trainer = trainerFor(model, request);
    if (request.explain) note(terminal, trainer.explain());
    let snapshot: Snapshot | undefined;
    let [total, epochEnded] = [Infinity, false];
    trainer.hooks.onFitStart.tap('run', ({ steps }) => {
      total = steps;
      if (resume && resume.meta.total !== steps)
        note(
          terminal,
          `${resume.meta.total} updates become ${steps}: from update ${resume.meta.step + 1} on, by the schedule of the longer run`,
        );
    });
    trainer.hooks.onFitEnd.tapPromise('run', async () => {
      if (signal.aborted || (request.extendable && epochEnded)) snapshot = await trainer.snapshot();
    });
    trainer.hooks.onEpoch.tapPromise('run', async ({ step }) => {
      epochEnded = true;
      if (request.onEpoch && !signal.aborted && step < total)
        await request.onEpoch(model, await trainer.snapshot());
    });
    const progress = showProgress(terminal, `${recipe.name} · seed ${seed}`);
    let [begun, compilations] = [false, trainer.compileReport()?.compilations ?? 0];
    trainer.hooks.onStep.tap('run', (report) => {
      [begun, epochEnded] = [true, false];
      const before = compilations;
      compilations = trainer.compileReport()?.compilations ?? 0;
      progress.step(report, compilations > before);
    });
    const { train } = setup;
    if (trainer.compileReport())
      request.onNote?.('a step is compiled first for each length of rows, which takes seconds');
    const report = await trainer
      .fit(
        counted(train, terminal, 'read before the first step', () => !begun),
        {
          signal,
          ...(settings.keepBest !== undefined && {
            validation: counted(setup.evaluation, terminal, 'measured'),
          }),
          ...(resume && { resume }),
        },
      )
      .finally(() => {
        progress.stop();
      });
    if (report.stopped === 'signal') return { report, evaluation: undefined, snapshot, model };
    await request.onTrained?.(model, report, snapshot);
    const evaluation = await trainer.evaluate(counted(setup.evaluation, terminal, 'measured'));
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
    ...given({ precision: settings.precision }),
    onWarning: request.onWarning,
  });
}

/** The options that were given: the trainer's defaults stand for the others. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
