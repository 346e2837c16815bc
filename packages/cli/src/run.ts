import {
  chooseLengths,
  type Evaluation,
  type FitReport,
  type Metric,
  namedMetric,
  resolveMetrics,
  type Snapshot,
  type StepReport,
  Trainer,
} from '@hypetune/core';
import { loadModel } from '@hypetune/models';
import { median } from '@hypetune/statistics';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { eachState, specialTokens } from './analysis/hidden-states.js';
import { layerSimilarity } from './analysis/layer-similarity.js';
import { metricName } from './methods.js';
import { counted, showProgress } from './progress.js';
import type { Models, Recipe } from './recipes.js';
import { type Interval, intervalsOf } from './report/intervals.js';
import { type Settings, settingsWith } from './settings.js';
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
  /** Those that the recipe's options name. */
  readonly models: Models;
  readonly resume?: Snapshot | undefined;
  /** Take a snapshot at the end of the run too, from which it can be made longer. */
  readonly extendable?: boolean | undefined;
  /** Print what the trainer will do. */
  readonly explain?: boolean | undefined;
  readonly onWarning: (message: string) => void;
  /** Called with what is worth knowing once, not at each run of a comparison. */
  readonly onNote?: ((line: string) => void) | undefined;
  /** What is measured; the task's metrics unless given. */
  readonly metrics?: readonly (string | Metric)[] | undefined;
  /** Whether how far the metrics are certain is wanted. */
  readonly intervals?: boolean | undefined;
  /** Called where the run may go on later: every `saveEvery` steps, and at the end of every epoch but the last or every `saveSeconds`. */
  readonly onCheckpoint?:
    ((model: LayersModel, snapshot: Snapshot, spent: RunCost) => Promise<void>) | undefined;
  /** Checkpoints by the clock, between any two updates, in the place of those at the end of an epoch. */
  readonly saveSeconds?: number | undefined;
  /** Called after every update. */
  readonly onStep?: ((report: StepReport) => void) | undefined;
  /** Called when the run came to its end, before it is measured. */
  readonly onTrained?:
    ((model: LayersModel, report: FitReport, snapshot: Snapshot | undefined) => Promise<void>) | undefined;
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
  /** Of the rows learned from, if that was asked for. */
  readonly training?: Evaluation | undefined;
  /** Of the measured rows by layer, if that was asked for. */
  readonly similarity?: readonly number[] | undefined;
  readonly cost: RunCost;
  /** Where they were wanted and the run came to its end. */
  readonly intervals?: Readonly<Record<string, Interval>> | undefined;
  /** Where it stopped, if a signal stopped it or the run is extendable. */
  readonly snapshot: Snapshot | undefined;
  /** The caller's, to save and to dispose. */
  readonly model: LayersModel;
}

/** Loads the model, trains it by the recipe and measures it. */
export async function run(request: RunRequest): Promise<RunResult> {
  const { setup, recipe, seed, terminal, signal, resume, onLine } = request;
  const settings = settingsWith(request.settings, recipe.settings);
  const { task } = setup;
  const { model, notes, head } = await loadModel(setup.folder, { task: task.task, seed });
  for (const line of notes) request.onWarning(line);
  if (head.head === 'kept' && !resume)
    request.onNote?.("the head is the checkpoint's and goes on learning: its outputs are the same");
  try {
    const trainer = trainerFor(model, request, settings);
    if (request.explain) note(terminal, trainer.explain());
    let snapshot: Snapshot | undefined;
    let [total, epochEnded] = [Infinity, false];
    trainer.hooks.onFitStart.tap('run', ({ steps }) => {
      total = steps;
      clock.start();
      if (resume && resume.meta.total !== steps)
        note(
          terminal,
          `${resume.meta.total} updates become ${steps}: from update ${resume.meta.step + 1} on, by the schedule of the longer run`,
        );
    });
    trainer.hooks.onFitEnd.tapPromise('run', async () => {
      if (signal.aborted || (request.extendable && epochEnded)) snapshot = await trainer.snapshot();
    });
    const save = async (step: number): Promise<void> => {
      if (!signal.aborted && step < total)
        await request.onCheckpoint?.(model, await trainer.snapshot(), clock.cost());
    };
    const { saveEvery = Infinity } = settings;
    const { saveSeconds } = request;
    let saved = performance.now();
    const isDue = (): boolean => saveSeconds !== undefined && performance.now() - saved >= saveSeconds * 1000;
    trainer.hooks.onPause.tapPromise('run', async ({ step }) => {
      if (step % saveEvery !== 0 && !isDue()) return;
      await save(step);
      saved = performance.now();
    });
    const shown: readonly string[] = ['loss', ...task.metrics.map(metricName)];
    const label = `${recipe.name} · seed ${seed}`;
    trainer.hooks.onEvaluation.tapPromise('run', async (report) => {
      onLine?.({ kind: 'evaluation', ...report });
      progress.note(
        `${label}: epoch ${report.epoch + 1}, step ${report.step}: ${figures(report.metrics, shown)}`,
      );
      return Promise.resolve();
    });
    trainer.hooks.onEpoch.tapPromise('run', async ({ epoch, step, loss }) => {
      epochEnded = true;
      onLine?.({ kind: 'epoch', epoch, step, loss });
      if (step % saveEvery !== 0 && saveSeconds === undefined) await save(step);
    });
    const progress = showProgress(terminal, label, { every: settings.logEvery });
    const clock = new Clock(() => trainer.compileReport()?.compilations ?? 0);
    let begun = false;
    trainer.hooks.onStep.tap('run', (report) => {
      [begun, epochEnded] = [true, false];
      progress.step(report, clock.step());
      request.onStep?.(report);
      const { step, epoch, loss, terms, learningRate, gradientNorm, rows } = report;
      onLine?.({ kind: 'step', step, epoch, loss, terms, learningRate, gradientNorm, rows });
    });
    const { train } = setup;
    if (trainer.compileReport())
      request.onNote?.('a step is compiled first for each length of rows, which takes seconds');
    const report = await trainer
      .fit(
        counted(train, terminal, 'read before the first step', () => !begun),
        {
          signal,
          ...((settings.keepBest ?? settings.evaluateEvery) !== undefined && {
            validation: counted(setup.evaluation, terminal, 'measured'),
          }),
          ...(resume && { resume }),
        },
      )
      .finally(() => {
        progress.stop();
      });
    const cost = (): RunCost => clock.cost(report.seconds);
    if (report.stopped === 'signal')
      return { report, evaluation: undefined, test: undefined, cost: cost(), snapshot, model };
    if (settings.keepBest !== undefined)
      note(terminal, `${label}: ${bestLine(report, metricName(settings.keepBest))}`);
    await request.onTrained?.(model, report, snapshot);
    clock.measure();
    const evaluation = await trainer.evaluate(counted(setup.evaluation, terminal, 'measured'));
    const test = setup.test && (await trainer.evaluate(counted(setup.test, terminal, 'measured')));
    const also = await alsoMeasured(trainer, model, request);
    const intervals = request.intervals
      ? intervalsOf(evaluation.predictions, setup.evaluation, task)
      : undefined;
    return { report, evaluation, test, ...also, cost: cost(), intervals, snapshot, model };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** What `alsoMeasure` asks for. */
async function alsoMeasured(
  trainer: Trainer,
  model: LayersModel,
  { setup, settings, terminal }: RunRequest,
): Promise<Pick<RunResult, 'training' | 'similarity'>> {
  const { alsoMeasure = [] } = settings;
  const { task, text, train, evaluation, test } = setup;
  return {
    ...(alsoMeasure.includes('training') && {
      training: await trainer.evaluate(counted(train, terminal, 'measured')),
    }),
    ...(alsoMeasure.includes('similarity') && {
      similarity: await layerSimilarity((visit) =>
        eachState(model, task.task, test ?? evaluation, specialTokens(text.tokenizer), visit),
      ),
    }),
  };
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
    : `no epoch gave a number for ${name}`;
  const last = (epochs.at(-1)?.epoch ?? 0) + 1;
  return stopped === 'patience' ? `${kept}; stopped by patience after epoch ${last}` : kept;
}

/** Tells steps that compile from those that do not. */
class Clock {
  readonly #compilations: () => number;
  readonly #seconds: { readonly seconds: number; readonly compiled: boolean }[] = [];
  #began = performance.now();
  #last = this.#began;
  #count: number;
  #memory = 0;
  #measuring: number | undefined;

  constructor(compilations: () => number) {
    this.#compilations = compilations;
    this.#count = compilations();
  }

  /** What comes before the first step is none of its time. */
  start(): void {
    this.#began = performance.now();
    this.#last = this.#began;
  }

  /** After a step; whether it had to be compiled. */
  step(): boolean {
    const [now, count] = [performance.now(), this.#compilations()];
    const compiled = count > this.#count;
    this.#seconds.push({ seconds: (now - this.#last) / 1000, compiled });
    [this.#last, this.#count] = [now, count];
    this.#memory = Math.max(this.#memory, process.memoryUsage.rss());
    return compiled;
  }

  measure(): void {
    this.#measuring = performance.now();
  }

  /** `seconds`: of training, what has passed unless given. */
  cost(seconds: number = (performance.now() - this.#began) / 1000): RunCost {
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
    plugins: recipe.plugins(request.models),
    dropout: recipe.dropout,
    task: setup.task.task,
    metrics: resolveMetrics(request.metrics ?? setup.task.metrics),
    seed,
    optimizer: given({ learningRate, weightDecay }),
    schedule: given({ warmup, decay }),
    ...given({ clipNorm, batchSize, evaluationBatchSize, accumulate, epochs, steps }),
    ...given({ groupByLength, lengthMultiple, evaluateEvery }),
    lengths:
      lengthMultiple === undefined ? chooseLengths(setup.train, given({ batchSize, groupByLength })) : [],
    ...given({ keepBest: criterion(settings), patience: settings.patience, compile: settings.compile }),
    ...given({ precision: settings.precision, recompute: settings.recompute }),
    onWarning: request.onWarning,
  });
}

/** What the best epoch is chosen by. */
function criterion({ keepBest }: Settings): Metric | 'loss' | undefined {
  return typeof keepBest !== 'string' || keepBest === 'loss' ? keepBest : namedMetric(keepBest);
}

/** The options that were given: the trainer's defaults stand for the others. */
function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
}
