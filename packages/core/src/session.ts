import * as tf from '@tensorflow/tfjs-core';
import { foldIn, seedKey, type Key } from '@hypetune/ops';
import { Accumulation } from './accumulation.js';
import type { Dataset } from './batch.js';
import { type BestEpoch, BestWeights } from './best-weights.js';
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
import { warnUncompiled, type StepRecorder } from './recorder.js';
import { isTapped, tapsAt, tapsOf } from './taps.js';
import { OPTIMIZER_STAGE } from './stages.js';
import type { EpochReport } from './step.js';
import { rowLossOf } from './tasks/row-loss.js';
import { update } from './update.js';

export interface FitOptions {
  /** Evaluated at the end of every epoch. */
  readonly validation?: Dataset;
  /** Ends the run cleanly after the step at hand. */
  readonly signal?: AbortSignal;
  /**
   * Goes on where that run stopped; with more epochs or steps than it had, by the schedule of the longer run from there on. With another
   * `keepBest` than it had, or none, its best epoch is forgotten.
   */
  readonly resume?: Snapshot;
}

export interface FitReport {
  /** Updates made, those before a resume included. */
  readonly steps: number;
  readonly epochs: readonly EpochReport[];
  /** Why the run ended before its last step, if it did. */
  readonly stopped: 'signal' | 'shouldStop' | 'patience' | undefined;
  /** The epoch (counted from 0) whose weights are kept, and its value; undefined without `keepBest`. */
  readonly best: BestEpoch | undefined;
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
  /** Calls of `fit` before this one, or before the one that it resumes. */
  readonly fits: number;
}

/** One call of `fit`: its optimizer, its place in the data, and what it keeps from step to step. */
export class Session {
  readonly #setting: SessionSetting;
  readonly #key: Key;
  readonly #stepsPerEpoch: number;
  readonly #total: number;
  readonly #best: BestWeights;
  readonly #accumulation: Accumulation | undefined;
  #optimizer: AdamW | undefined;
  #phases: Phases | undefined;
  #trained: readonly Parameter[] = [];
  #step = 0;
  /** The epoch that has begun: the losses of its steps added up, and how many. */
  #open = { loss: 0, steps: 0 };

  constructor(setting: SessionSetting) {
    this.#setting = setting;
    const { options, data, fit } = setting;
    this.#best = new BestWeights(options.keepBest);
    this.#key = foldIn(seedKey(options.seed), 'fit', setting.fits);
    const microbatches = Math.ceil(data.size / options.batchSize);
    this.#stepsPerEpoch = Math.ceil(microbatches / options.accumulate);
    this.#accumulation = options.accumulate > 1 ? new Accumulation() : undefined;
    this.#total = options.steps ?? options.epochs * this.#stepsPerEpoch;
    if (options.keepBest && !fit.validation)
      throw new HypetuneError(
        `trainer: keepBest '${options.keepBest.name}' needs validation data; give fit one.`,
      );
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
        trainedParameters,
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
      if (fit.resume) this.#restore(fit.resume, phases);
      host.takeReferences(phases.ever);
      this.#trained = phases.enter(this.#step + 1);
      await host.hooks.onFitStart.promise(run);
      const report = await this.#train(phases, this.#optimizer);
      finished = true;
      return report;
    } finally {
      try {
        await host.hooks.onFitEnd.promise(run).finally(() => {
          // After onFitEnd, also one that fails: a snapshot taken there resumes from the weights at hand, not from the best ones.
          if (!this.#best.take(host.parameters) && finished) takeEvaluatedWeights(host, this.#position);
        });
      } finally {
        this.#phases?.release();
        this.#optimizer?.dispose();
        this.#accumulation?.dispose();
        this.#best.tensors.clear();
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
        stepsPerEpoch: this.#stepsPerEpoch,
        fits: this.#setting.fits,
        changedOnLoad: [...host.changedOnLoad],
        plugins: Object.fromEntries(plugins.map((plugin) => [plugin.name, plugin.state?.() ?? {}])),
        ...(this.#best.saved && { best: this.#best.saved }),
        ...(this.#open.steps > 0 && { open: this.#open }),
      },
      tensors: await download(stateTensors({ host, optimizer: this.#optimizer, best: this.#best.tensors })),
    };
  }

  #restore(snapshot: Snapshot, phases: Phases): void {
    const { options, host, plugins } = this.#setting;
    const { seed } = options;
    checkSnapshot(snapshot.meta, { seed, plugins, stepsPerEpoch: this.#stepsPerEpoch, total: this.#total });
    const state = { host, optimizer: this.#optimizer!, best: this.#best.tensors };
    restoreTensors(state, snapshot, phases, plugins);
    // Of an older snapshot nobody knows: each that may have changed weights counts.
    const changed = snapshot.meta.changedOnLoad ?? tapsOf(host.hooks.afterLoad).map(({ name }) => name);
    host.changedOnLoad.clear();
    for (const name of changed) host.changedOnLoad.add(name);
    this.#best.restore(snapshot.meta.best);
    this.#open = { ...(snapshot.meta.open ?? { loss: 0, steps: 0 }) };
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
    const { options, host, instrument, recorder, clip, data, fit } = this.#setting;
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
      accumulation: this.#accumulation,
      data,
      key: this.#key,
    };
    // A run may go on from the end of the very epoch with which its patience was out.
    const ended = this.#open.steps === 0 ? this.#step / this.#stepsPerEpoch - 1 : -1;
    let stopped: FitReport['stopped'] = this.#best.isOutOf(options.patience, ended) ? 'patience' : undefined;
    let lastLoss = NaN;
    const first = this.#step;
    const { batchSize, accumulate, groupByLength } = options;
    // An epoch whose last step is made is still to be ended if a signal came in between.
    while (!stopped && (this.#step < this.#total || this.#open.steps > 0)) {
      const epoch = Math.floor((this.#step - this.#open.steps) / this.#stepsPerEpoch);
      const key = foldIn(this.#key, 'epoch', epoch);
      const updates = chunks(epochBatches(data, batchSize, key, groupByLength), accumulate);
      for (const microbatches of updates.slice(this.#step - epoch * this.#stepsPerEpoch)) {
        if (stopped || fit.signal?.aborted || this.#step >= this.#total) break;
        this.#trained = phases.enter(this.#step + 1);
        const own = { ...setting, trainable: this.#trained };
        const report = await update(own, this.#step + 1, epoch, microbatches);
        warnUncompiled(recorder, (line) => {
          host.warn('engine', line);
        });
        if (this.#step === first)
          for (const kind of instrument.idleDropout(host.dropout))
            host.warn(
              'trainer',
              `no layer has ${kind} dropout: the rate ${host.dropout[kind]} does nothing.`,
            );
        this.#step += 1;
        lastLoss = report.loss;
        this.#open = { loss: this.#open.loss + report.loss, steps: this.#open.steps + 1 };
        hooks.onStep.call(report);
        // Lets signals and progress bars through on an engine that computes in the foreground.
        await tf.nextFrame();
        if (hooks.shouldStop.call(report)) stopped = 'shouldStop';
        const endsEpoch = this.#step === (epoch + 1) * this.#stepsPerEpoch || this.#step === this.#total;
        if (!stopped && !endsEpoch && this.#step % (options.evaluateEvery ?? Infinity) === 0)
          await this.#measure(epoch);
        await hooks.onPause.promise(this.#position);
      }
      if (fit.signal?.aborted) {
        stopped = 'signal';
        break;
      }
      const report = await this.#endEpoch(epoch);
      epochs.push(report);
      await hooks.onEpoch.promise(report);
      if (!stopped && this.#best.isOutOf(options.patience, epoch)) stopped = 'patience';
    }
    const seconds = (performance.now() - began) / 1000;
    return { steps: this.#step, epochs, stopped, best: this.#best.sofar, lastLoss, seconds };
  }

  async #endEpoch(epoch: number): Promise<EpochReport> {
    const metrics = await this.#measure(epoch);
    const loss = this.#open.loss / this.#open.steps;
    this.#open = { loss: 0, steps: 0 };
    return { epoch, step: this.#step, loss, metrics };
  }

  /** The figures of the validation data, if there are such; the best weights are kept. */
  async #measure(epoch: number): Promise<EpochReport['metrics']> {
    const { options, instrument, recorder, host } = this.#setting;
    const { validation } = this.#setting.fit;
    checkFinite(host.allParameters, this.#step);
    if (!validation) return {};
    const measure = async (data: Dataset): Promise<EpochReport['metrics']> => {
      const evaluation = await evaluateRows(data, { instrument, options, recorder, step: this.#step });
      const figures: EpochReport['metrics'] = { loss: evaluation.loss, ...evaluation.metrics };
      const { keepBest } = options;
      if (keepBest && Number.isNaN(figures[keepBest.name]))
        host.warn('trainer', `keepBest '${keepBest.name}' came out as NaN: such weights are never the best.`);
      // Here the model holds the weights that were measured: those are kept.
      this.#best.offer(figures, epoch, host.allParameters);
      return figures;
    };
    const metrics = await this.withEvaluatedWeights(() => measure(validation));
    await host.hooks.onEvaluation.promise({ epoch, step: this.#step, metrics });
    return metrics;
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
    const { options } = this.#setting;
    const { task, optimizer, schedule } = options;
    return {
      instrument: this.#setting.instrument,
      hooks,
      task,
      loss: rowLossOf(options),
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

/** Throws where an update left a weight that is no number: nothing of such a run is to be measured or saved. */
function checkFinite(parameters: readonly Parameter[], step: number): void {
  const bad = parameters.find(({ variable }) => {
    const zero = tf.tidy(() => tf.sum(tf.mul(variable, 0)));
    const [value] = zero.dataSync();
    zero.dispose();
    return value !== 0;
  });
  if (bad)
    throw new HypetuneError(
      `trainer: '${bad.name}' holds values that are no finite numbers after step ${step}; ` +
        `lower the learning rate or the plugins' strengths, or go on from an earlier save.`,
    );
}
