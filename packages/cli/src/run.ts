import {
  chooseLengths,
  type Evaluation,
  type FitReport,
  type MetricName,
  type Snapshot,
  Trainer,
} from '@hypetune/core';
import { loadModel } from '@hypetune/models';
import { median } from '@hypetune/statistics';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { showProgress } from './progress.js';
import type { Recipe } from './recipes.js';
import type { Settings } from './settings.js';
import type { Setup } from './setup.js';
import type { CurveLine } from './store/record.js';
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
  /** What is measured; the task's metrics unless given. */
  readonly metrics?: readonly MetricName[] | undefined;
  /** Called where the run may go on later: at the end of every epoch but the last, and every `saveEvery` steps. */
  readonly onCheckpoint?: ((model: LayersModel, snapshot: Snapshot) => Promise<void>) | undefined;
  /** Called when the run came to its end, before it is measured. */
  readonly onTrained?: ((model: LayersModel, report: FitReport) => Promise<void>) | undefined;
  /** Gets the curve line by line. */
  readonly onLine?: ((line: CurveLine) => void) | undefined;
}

/** Where the seconds went, and the memory. */
export interface RunCost {
  readonly seconds: number;
  readonly compileSeconds: number;
  readonly measureSeconds: number;
  readonly memoryBytes: number;
}

export interface RunResult {
  readonly report: FitReport;
  /** Of the rows that choose; undefined where a signal stopped the run. */
  readonly evaluation: Evaluation | undefined;
  /** Of the rows that choose nothing, if there are such. */
  readonly test: Evaluation | undefined;
  readonly cost: RunCost;
  /** Where it stopped, if a signal stopped it. */
  readonly snapshot: Snapshot | undefined;
  /** The caller's, to save and to dispose. */
  readonly model: LayersModel;
}

/** Loads the model, trains it by the recipe and measures it. */
export async function run(request: RunRequest): Promise<RunResult> {
  const { setup, recipe, seed, terminal, signal, resume, onLine } = request;
  const settings = { ...request.settings, ...recipe.settings };
  const { task } = setup;
  const { model, notes } = await loadModel(setup.folder, { task: task.task, seed });
  for (const line of notes) request.onWarning(line);
  try {
    const trainer = trainerFor(model, request, settings);
    if (request.explain) note(terminal, trainer.explain());
    let snapshot: Snapshot | undefined;
    trainer.hooks.onFitEnd.tapPromise('run', async () => {
      if (signal.aborted) snapshot = await trainer.snapshot();
    });
    const save = async (step: number): Promise<void> => {
      if (!signal.aborted && step < total) await request.onCheckpoint?.(model, await trainer.snapshot());
    };
    const { saveEvery = Infinity } = settings;
    trainer.hooks.onPause.tapPromise('run', async ({ step }) => {
      if (step % saveEvery === 0) await save(step);
    });
    const shown: readonly string[] = ['loss', ...task.metrics];
    const label = `${recipe.name} · seed ${seed}`;
    trainer.hooks.onEvaluation.tapPromise('run', async (report) => {
      onLine?.({ kind: 'evaluation', ...report });
      progress.note(
        `${label}: epoch ${report.epoch + 1}, step ${report.step}: ${figures(report.metrics, shown)}`,
      );
      return Promise.resolve();
    });
    trainer.hooks.onEpoch.tapPromise('run', async ({ epoch, step, loss }) => {
      onLine?.({ kind: 'epoch', epoch, step, loss });
      if (step % saveEvery !== 0) await save(step);
    });
    const progress = showProgress(terminal, label, { every: settings.logEvery });
    const clock = new Clock(() => trainer.compileReport()?.compilations ?? 0);
    let total = Infinity;
    trainer.hooks.onStep.tap('run', (report) => {
      total = report.total;
      clock.step();
      progress.step(report);
      const { step, epoch, loss, terms, learningRate, gradientNorm, rows } = report;
      onLine?.({ kind: 'step', step, epoch, loss, terms, learningRate, gradientNorm, rows });
    });
    const report = await trainer
      .fit(setup.train, {
        signal,
        ...((settings.keepBest ?? settings.evaluateEvery) !== undefined && { validation: setup.evaluation }),
        ...(resume && { resume }),
      })
      .finally(() => {
        progress.stop();
      });
    const cost = (): RunCost => clock.cost(report.seconds);
    if (report.stopped === 'signal')
      return { report, evaluation: undefined, test: undefined, cost: cost(), snapshot, model };
    if (settings.keepBest !== undefined) note(terminal, `${label}: ${bestLine(report, settings.keepBest)}`);
    await request.onTrained?.(model, report);
    clock.measure();
    const rows = setup.evaluation.size + (setup.test?.size ?? 0);
    note(terminal, `${label}: measuring ${rows} rows`);
    const evaluation = await trainer.evaluate(setup.evaluation);
    const test = setup.test && (await trainer.evaluate(setup.test));
    return { report, evaluation, test, cost: cost(), snapshot, model };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** `accuracy 0.9350, loss 0.2101`. */
function figures(metrics: Readonly<Record<string, number>>, shown: readonly string[]): string {
  return Object.entries(metrics)
    .filter(([name]) => shown.includes(name))
    .map(([name, value]) => `${name} ${value.toFixed(4)}`)
    .join(', ');
}

/** Which epoch was kept, and what ended the run. */
function bestLine({ best, stopped, epochs }: FitReport, name: string): string {
  const kept = best
    ? `epoch ${best.epoch + 1} is best: ${name} ${best.value.toFixed(4)}`
    : 'no epoch was measured';
  const last = (epochs.at(-1)?.epoch ?? 0) + 1;
  return stopped === 'patience' ? `${kept}; stopped by patience after epoch ${last}` : kept;
}

/** Tells steps that compile from those that do not. */
class Clock {
  readonly #compilations: () => number;
  readonly #seconds: { readonly seconds: number; readonly compiled: boolean }[] = [];
  #last = performance.now();
  #count: number;
  #memory = 0;
  #measuring: number | undefined;

  constructor(compilations: () => number) {
    this.#compilations = compilations;
    this.#count = compilations();
  }

  step(): void {
    const [now, count] = [performance.now(), this.#compilations()];
    this.#seconds.push({ seconds: (now - this.#last) / 1000, compiled: count > this.#count });
    [this.#last, this.#count] = [now, count];
    this.#memory = Math.max(this.#memory, process.memoryUsage.rss());
  }

  measure(): void {
    this.#measuring = performance.now();
  }

  cost(seconds: number): RunCost {
    const plain = this.#seconds.filter(({ compiled }) => !compiled).map((step) => step.seconds);
    const usual = plain.length > 0 ? median(plain) : 0;
    const compiling = this.#seconds.filter(({ compiled }) => compiled);
    return {
      seconds,
      compileSeconds: compiling.reduce((sum, step) => sum + Math.max(0, step.seconds - usual), 0),
      measureSeconds: this.#measuring === undefined ? 0 : (performance.now() - this.#measuring) / 1000,
      memoryBytes: this.#memory,
    };
  }
}

function trainerFor(model: LayersModel, request: RunRequest, settings: Settings): Trainer {
  const { setup, recipe, seed } = request;
  const { learningRate, weightDecay, warmup, decay, clipNorm } = settings;
  const { batchSize, evaluationBatchSize, accumulate, epochs, steps } = settings;
  const { lengthMultiple, groupByLength, evaluateEvery } = settings;
  return new Trainer({
    model,
    plugins: recipe.plugins(),
    dropout: recipe.dropout,
    task: setup.task.task,
    metrics: request.metrics ?? setup.task.metrics,
    seed,
    optimizer: given({ learningRate, weightDecay }),
    schedule: given({ warmup, decay }),
    ...given({ clipNorm, batchSize, evaluationBatchSize, accumulate, epochs, steps }),
    ...given({ groupByLength, lengthMultiple, evaluateEvery }),
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
