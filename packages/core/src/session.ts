import * as tf from '@tensorflow/tfjs-core';
import { foldIn, seedKey, type Key } from '@hypetune/ops';
import type { Dataset } from './batch.js';
import { download, type Snapshot } from './checkpoint/snapshot.js';
import { checkSnapshot, restoreTensors, stateTensors } from './checkpoint/state.js';
import { chunks, epochBatches } from './data/order.js';
import { eachGradient } from './each-gradient.js';
import { takeEvaluatedWeights, withEvaluatedWeights } from './evaluated-weights.js';
import { HypetuneError } from './errors.js';
import { evaluateRows } from './evaluation.js';
import type { StepSetting } from './gradient.js';
import type { Position } from './hooks.js';
import type { Host } from './host.js';
import type { Instrument } from './instrument.js';
import { AdamW } from './optim/adamw.js';
import type { Clip } from './optim/clip.js';
import { scheduleFactor } from './optim/schedule.js';
import type { Parameter } from './parameters.js';
import { Phases } from './phases.js';
import type { ResolvedOptions } from './options.js';
import type { Plugin, Run } from './plugin.js';
import type { StepRecorder } from './recorder.js';
import { isTapped, tapsAt } from './taps.js';
import { OPTIMIZER_STAGE } from './stages.js';
import type { EpochReport } from './step.js';
import { KeptTensors } from './stores.js';
import { update } from './update.js';

export interface FitOptions {
  /** Evaluated at the end of every epoch. */
  readonly validation?: Dataset;
  /** Ends the run cleanly after the step at hand. */
  readonly signal?: AbortSignal;
  /** Goes on where that run stopped. */
  readonly resume?: Snapshot;
}

export interface FitReport {
  /** Updates made, those before a resume included. */
  readonly steps: number;
  readonly epochs: readonly EpochReport[];
  /** Why the run ended before its last step, if it did. */
  readonly stopped: 'signal' | 'shouldStop' | 'patience' | undefined;
  readonly lastLoss: number;
  readonly seconds: number;
}

/** What a session gets from its trainer. */
export interface SessionSetting {
  readonly options: ResolvedOptions;
  readonly host: Host;
  readonly plugins: readonly Plugin[];
  readonly instrument: Instrument;
  readonly recorder: StepRecorder | undefined;
  readonly clip: Clip;
  readonly data: Dataset;
  readonly fit: FitOptions;
  /** Calls of `fit` before this one. */
  readonly fits: number;
}

/** One call of `fit`: its optimizer, its place in the data, and what it keeps from step to step. */
export class Session {
  readonly #setting: SessionSetting;
  readonly #key: Key;
  readonly #stepsPerEpoch: number;
  readonly #total: number;
  readonly #best = new KeptTensors();
  #optimizer: AdamW | undefined;
  #phases: Phases | undefined;
  #trained: readonly Parameter[] = [];
  #step = 0;
  #bestSoFar: { value: number; epoch: number } | undefined;

  constructor(setting: SessionSetting) {
    this.#setting = setting;
    const { options, data, fit } = setting;
    this.#key = foldIn(seedKey(options.seed), 'fit', setting.fits);
    const microbatches = Math.ceil(data.size / options.batchSize);
    this.#stepsPerEpoch = Math.ceil(microbatches / options.accumulate);
    this.#total = options.steps ?? options.epochs * this.#stepsPerEpoch;
    if (options.keepBest && !fit.validation)
      throw new HypetuneError(`trainer: keepBest '${options.keepBest}' needs validation data; give fit one.`);
  }

  async run(): Promise<FitReport> {
    const { options, host, instrument, recorder, data, fit, fits } = this.#setting;
    const trainedParameters = (): readonly Parameter[] => this.#phases?.ever ?? [];
    const run: Run = {
      seed: options.seed,
      key: foldIn(this.#key, 'run'),
      steps: this.#total,
      stepsPerEpoch: this.#stepsPerEpoch,
      get parameters() {
        return trainedParameters();
      },
      epochs: Math.ceil(this.#total / this.#stepsPerEpoch),
      data,
      resumed: fit.resume !== undefined,
      eachGradient: eachGradient(
        options,
        host,
        instrument,
        recorder,
        data,
        foldIn(this.#key, 'each-gradient'),
      ),
    };
    let finished = false;
    try {
      if (fits === 0 && !fit.resume) await this.#load(run);
      host.createAdded(foldIn(this.#key, 'parameters'));
      const phases = new Phases(host.hooks, host.allParameters, host.boundaries, this.#total);
      this.#phases = phases;
      const replaced = tapsAt(host.hooks.aroundUpdate, OPTIMIZER_STAGE.REPLACE).length > 0;
      this.#optimizer = new AdamW(options.optimizer, replaced ? [] : phases.ever, (parameter) =>
        phases.since(parameter),
      );
      if (fit.resume) this.#restore(fit.resume);
      else host.takeReferences(phases.ever);
      this.#trained = phases.enter(this.#step + 1);
      await host.hooks.onFitStart.promise(run);
      const report = await this.#train(phases, this.#optimizer);
      finished = true;
      return report;
    } finally {
      try {
        await host.hooks.onFitEnd.promise(run);
        // After onFitEnd: a snapshot taken there resumes from the weights at hand, not from the best ones.
        if (this.#best.names().length > 0) this.#takeBest();
        else if (finished) takeEvaluatedWeights(host, this.#position);
      } finally {
        this.#phases?.release();
        this.#optimizer?.dispose();
        this.#best.clear();
      }
    }
  }

  async snapshot(): Promise<Snapshot> {
    const { options, host, plugins } = this.#setting;
    if (!this.#optimizer)
      throw new HypetuneError('trainer: the run has not begun; there is nothing to snapshot yet.');
    return {
      meta: {
        version: 1,
        seed: options.seed,
        step: this.#step,
        total: this.#total,
        plugins: Object.fromEntries(plugins.map((plugin) => [plugin.name, plugin.state?.() ?? {}])),
        ...(this.#bestSoFar && { best: this.#bestSoFar }),
      },
      tensors: await download(stateTensors({ host, optimizer: this.#optimizer, best: this.#best })),
    };
  }

  #restore(snapshot: Snapshot): void {
    const { options, host, plugins } = this.#setting;
    checkSnapshot(snapshot.meta, options.seed, this.#total, plugins);
    restoreTensors({ host, optimizer: this.#optimizer!, best: this.#best }, snapshot, plugins);
    this.#bestSoFar = snapshot.meta.best;
    this.#step = snapshot.meta.step;
  }

  /** Runs `f` while the model, and what plugins added, hold the weights that are measured and saved. */
  withEvaluatedWeights<T>(f: () => Promise<T>): Promise<T> {
    return withEvaluatedWeights(this.#setting.host, this.#position, f);
  }

  get #position(): Position {
    return { step: this.#step, total: this.#total };
  }

  async #train(phases: Phases, optimizer: AdamW): Promise<FitReport> {
    const { options, host, recorder, clip, data, fit } = this.#setting;
    const { hooks } = host;
    const began = performance.now();
    const epochs: EpochReport[] = [];
    const setting = {
      options,
      hooks,
      step: this.#stepSetting(),
      optimizer,
      clip,
      recorder,
      data,
      key: this.#key,
    };
    let stopped: FitReport['stopped'];
    let lastLoss = NaN;
    const { batchSize, accumulate, groupByLength } = options;
    while (this.#step < this.#total && !stopped) {
      const epoch = Math.floor(this.#step / this.#stepsPerEpoch);
      const key = foldIn(this.#key, 'epoch', epoch);
      const updates = chunks(epochBatches(data, batchSize, key, groupByLength), accumulate);
      const losses: number[] = [];
      for (const microbatches of updates.slice(this.#step % this.#stepsPerEpoch)) {
        if (fit.signal?.aborted) stopped = 'signal';
        if (stopped || this.#step >= this.#total) break;
        this.#trained = phases.enter(this.#step + 1);
        const own = { ...setting, trainable: this.#trained };
        const report = await update(own, this.#step + 1, epoch, microbatches);
        this.#step += 1;
        lastLoss = report.loss;
        losses.push(report.loss);
        hooks.onStep.call(report);
        // Lets signals and progress bars through on an engine that computes in the foreground.
        await tf.nextFrame();
        if (hooks.shouldStop.call(report)) stopped = 'shouldStop';
      }
      if (losses.length > 0) {
        const report = await this.#endEpoch(epoch, losses);
        epochs.push(report);
        await hooks.onEpoch.promise(report);
        if (!stopped && this.#outOfPatience(epoch)) stopped = 'patience';
      }
    }
    return { steps: this.#step, epochs, stopped, lastLoss, seconds: (performance.now() - began) / 1000 };
  }

  async #endEpoch(epoch: number, losses: readonly number[]): Promise<EpochReport> {
    const { options, instrument, recorder } = this.#setting;
    const { validation, signal } = this.#setting.fit;
    const measure = async (data: Dataset): Promise<EpochReport['metrics']> => {
      const evaluation = await evaluateRows(data, instrument, options, recorder);
      // Here the model holds the weights that were measured: those are kept.
      if (options.keepBest) this.#keepIfBest(evaluation.metrics[options.keepBest]!, epoch);
      return { loss: evaluation.loss, ...evaluation.metrics };
    };
    const metrics =
      validation && !signal?.aborted ? await this.withEvaluatedWeights(() => measure(validation)) : {};
    return {
      epoch,
      step: this.#step,
      loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
      metrics,
    };
  }

  #keepIfBest(value: number, epoch: number): void {
    if (this.#bestSoFar && value <= this.#bestSoFar.value) return;
    this.#bestSoFar = { value, epoch };
    for (const { name, variable } of this.#setting.host.allParameters)
      this.#best.set(name, tf.clone(variable));
  }

  #outOfPatience(epoch: number): boolean {
    const { patience } = this.#setting.options;
    return (
      patience !== undefined && this.#bestSoFar !== undefined && epoch - this.#bestSoFar.epoch >= patience
    );
  }

  #takeBest(): void {
    for (const { name, variable } of this.#setting.host.parameters) {
      const best = this.#best.get(name);
      if (best)
        tf.tidy(() => {
          variable.assign(tf.clone(best));
        });
    }
  }

  async #load(run: Run): Promise<void> {
    const { hooks, parameters } = this.#setting.host;
    if (!isTapped(hooks.afterLoad)) return;
    const before = new Map(parameters.map(({ name, variable }) => [name, variable as tf.Tensor]));
    const after = await hooks.afterLoad.promise(before, run);
    for (const { name, variable } of parameters) {
      const value = after.get(name)!;
      if (value === variable) continue;
      variable.assign(value);
      value.dispose();
    }
  }

  #stepSetting(): StepSetting {
    const { hooks, dropout, perturbMain } = this.#setting.host;
    const { task, loss, optimizer, schedule } = this.#setting.options;
    return {
      instrument: this.#setting.instrument,
      hooks,
      task,
      loss,
      dropout,
      perturbMain,
      total: this.#total,
      trained: () => this.#trained,
      since: (parameter) => this.#phases!.since(parameter as Parameter),
      learningRate: (step, parameter) => {
        const factor = (parameter as Parameter | undefined)?.rate ?? 1;
        const rate = factor * optimizer.learningRate * scheduleFactor(schedule, step.index, this.#total);
        return parameter && isTapped(hooks.afterSchedule)
          ? hooks.afterSchedule.call(rate, parameter, step)
          : rate;
      },
    };
  }
}
