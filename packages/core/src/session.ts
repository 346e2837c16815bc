import * as tf from '@tensorflow/tfjs-core';
import { foldIn, seedKey, type Key } from '@hypetune/ops';
import { Accumulation } from './accumulation.js';
import type { Dataset } from './batch.js';
import { download, type Snapshot } from './checkpoint/snapshot.js';
import { checkSnapshot, restoreTensors, stateTensors } from './checkpoint/state.js';
import { chunks, epochBatches } from './data/order.js';
import { eachGradient } from './each-gradient.js';
import { HypetuneError } from './errors.js';
import { evaluateRows } from './evaluation.js';
import type { StepSetting } from './gradient.js';
import type { Host } from './host.js';
import type { Instrument } from './instrument.js';
import { AdamW } from './optim/adamw.js';
import type { Clip } from './optim/clip.js';
import { scheduleFactor } from './optim/schedule.js';
import type { ResolvedOptions } from './options.js';
import type { Parameter } from './parameters.js';
import type { Plugin, Run } from './plugin.js';
import { warnUncompiled, type StepRecorder } from './recorder.js';
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
  readonly #accumulation: Accumulation | undefined;
  #optimizer: AdamW | undefined;
  #step = 0;
  #bestSoFar: { value: number; epoch: number } | undefined;

  constructor(setting: SessionSetting) {
    this.#setting = setting;
    const { options, data, fit } = setting;
    this.#key = foldIn(seedKey(options.seed), 'fit', setting.fits);
    const microbatches = Math.ceil(data.size / options.batchSize);
    this.#stepsPerEpoch = Math.ceil(microbatches / options.accumulate);
    this.#accumulation = options.accumulate > 1 ? new Accumulation() : undefined;
    this.#total = options.steps ?? options.epochs * this.#stepsPerEpoch;
    if (options.keepBest && !fit.validation)
      throw new HypetuneError(`trainer: keepBest '${options.keepBest}' needs validation data; give fit one.`);
  }

  async run(): Promise<FitReport> {
    const { options, host, instrument, recorder, data, fit, fits } = this.#setting;
    const run: Run = {
      seed: options.seed,
      key: foldIn(this.#key, 'run'),
      steps: this.#total,
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
    try {
      if (fits === 0 && !fit.resume) await this.#load(run);
      const trainable = this.#freeze();
      this.#optimizer = new AdamW(options.optimizer, trainable);
      if (fit.resume) this.#restore(fit.resume);
      else host.takeReferences();
      await host.hooks.onFitStart.promise(run);
      return await this.#train(trainable, this.#optimizer);
    } finally {
      try {
        await host.hooks.onFitEnd.promise(run);
        // After onFitEnd: a snapshot taken there resumes from the weights at hand, not from the best ones.
        this.#takeBest();
      } finally {
        this.#optimizer?.dispose();
        this.#accumulation?.dispose();
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

  async #train(trainable: readonly Parameter[], optimizer: AdamW): Promise<FitReport> {
    const { options, host, recorder, clip, data, fit } = this.#setting;
    const { hooks } = host;
    const began = performance.now();
    const epochs: EpochReport[] = [];
    const setting = {
      options,
      hooks,
      step: this.#stepSetting(),
      trainable,
      optimizer,
      clip,
      recorder,
      accumulation: this.#accumulation,
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
        const report = await update(setting, this.#step + 1, epoch, microbatches);
        warnUncompiled(recorder, (line) => {
          host.warn('engine', line);
        });
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
    const evaluation =
      validation && !signal?.aborted
        ? await evaluateRows(validation, instrument, options, recorder)
        : undefined;
    const metrics = evaluation ? { loss: evaluation.loss, ...evaluation.metrics } : {};
    if (this.#setting.options.keepBest && evaluation)
      this.#keepIfBest(evaluation.metrics[this.#setting.options.keepBest]!, epoch);
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
    for (const { name, variable } of this.#setting.host.parameters) this.#best.set(name, tf.clone(variable));
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
    const { afterLoad } = this.#setting.host.hooks;
    if (!afterLoad.isUsed()) return;
    const before = new Map(
      this.#setting.host.parameters.map(({ name, variable }) => [name, variable as tf.Tensor]),
    );
    const after = await afterLoad.promise(before, run);
    for (const { name, variable } of this.#setting.host.parameters) {
      const value = after.get(name);
      if (!value)
        throw new HypetuneError(`afterLoad: a tap dropped '${name}'; return every weight it was given.`);
      if (value === variable) continue;
      variable.assign(value);
      value.dispose();
    }
  }

  /** Asks `shouldTrain` about every weight that the model itself trains. */
  #freeze(): readonly Parameter[] {
    const { shouldTrain } = this.#setting.host.hooks;
    for (const parameter of this.#setting.host.parameters)
      if (parameter.trainable && shouldTrain.call(parameter) === false) parameter.trainable = false;
    const trainable = this.#setting.host.parameters.filter((parameter) => parameter.trainable);
    if (trainable.length === 0)
      throw new HypetuneError(
        'trainer: no parameter is left to train; unfreeze a layer or drop a shouldTrain tap.',
      );
    return trainable;
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
      learningRate: (step, parameter) => {
        const rate = optimizer.learningRate * scheduleFactor(schedule, step.index, this.#total);
        return parameter && hooks.afterSchedule.isUsed()
          ? hooks.afterSchedule.call(rate, parameter, step)
          : rate;
      },
    };
  }
}
