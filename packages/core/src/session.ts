import * as tf from '@tensorflow/tfjs-core';
import { foldIn, seedKey, type Key } from '@hypetune/ops';
import type { Dataset } from './batch.js';
import { download, upload, type Snapshot } from './checkpoint/snapshot.js';
import { chunks, epochBatches } from './data/order.js';
import { evaluateRows } from './evaluation.js';
import { collate } from './data/collate.js';
import { HypetuneError } from './errors.js';
import { weightedMean, type StepSetting } from './gradient.js';
import type { Host } from './host.js';
import type { Instrument } from './instrument.js';
import { keepingForGradient } from './instrument.js';
import { labelWidth, toLogits } from './logits.js';
import { AdamW } from './optim/adamw.js';
import type { Clip } from './optim/clip.js';
import { scheduleFactor } from './optim/schedule.js';
import type { ResolvedOptions } from './options.js';
import type { Parameter } from './parameters.js';
import type { Plugin, Run } from './plugin.js';
import type { StepRecorder } from './recorder.js';
import type { EpochReport, Gradients } from './step.js';
import { KeptTensors } from './stores.js';
import { runStep, update } from './update.js';

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

/** One call of `fit`: its optimizer, its place in the data, and what it keeps from step to step. */
export class Session {
  readonly #options: ResolvedOptions;
  readonly #host: Host;
  readonly #plugins: readonly Plugin[];
  readonly #instrument: Instrument;
  readonly #recorder: StepRecorder | undefined;
  readonly #clip: Clip;
  readonly #data: Dataset;
  readonly #fit: FitOptions;
  readonly #key: Key;
  readonly #first: boolean;
  readonly #stepsPerEpoch: number;
  readonly #total: number;
  readonly #best = new KeptTensors();
  #optimizer: AdamW | undefined;
  #step = 0;
  #bestSoFar: { value: number; epoch: number } | undefined;

  constructor(
    options: ResolvedOptions,
    host: Host,
    plugins: readonly Plugin[],
    instrument: Instrument,
    recorder: StepRecorder | undefined,
    clip: Clip,
    data: Dataset,
    fit: FitOptions,
    fits: number,
  ) {
    this.#options = options;
    this.#host = host;
    this.#plugins = plugins;
    this.#instrument = instrument;
    this.#recorder = recorder;
    this.#clip = clip;
    this.#data = data;
    this.#fit = fit;
    this.#first = fits === 0 && !fit.resume;
    this.#key = foldIn(seedKey(options.seed), 'fit', fits);
    const microbatches = Math.ceil(data.size / options.batchSize);
    this.#stepsPerEpoch = Math.ceil(microbatches / options.accumulate);
    this.#total = options.steps ?? options.epochs * this.#stepsPerEpoch;
    if (options.keepBest && !fit.validation)
      throw new HypetuneError(`trainer: keepBest '${options.keepBest}' needs validation data; give fit one.`);
  }

  async run(): Promise<FitReport> {
    const { hooks } = this.#host;
    const run: Run = {
      seed: this.#options.seed,
      key: foldIn(this.#key, 'run'),
      steps: this.#total,
      epochs: Math.ceil(this.#total / this.#stepsPerEpoch),
      data: this.#data,
      resumed: this.#fit.resume !== undefined,
      eachGradient: (visit) => this.#eachGradient(visit),
    };
    try {
      if (this.#first) await this.#load(run);
      const trainable = this.#freeze();
      this.#optimizer = new AdamW(this.#options.optimizer, trainable);
      if (this.#fit.resume) this.#restore(this.#fit.resume);
      else this.#host.takeReferences();
      await hooks.onFitStart.promise(run);
      return await this.#train(trainable);
    } finally {
      try {
        await hooks.onFitEnd.promise(run);
      } finally {
        this.#optimizer?.dispose();
        this.#best.clear();
      }
    }
  }

  async snapshot(): Promise<Snapshot> {
    const plugins = Object.fromEntries(this.#plugins.map((plugin) => [plugin.name, plugin.state?.() ?? {}]));
    return {
      meta: {
        version: 1,
        seed: this.#options.seed,
        step: this.#step,
        total: this.#total,
        plugins,
        ...(this.#bestSoFar && { best: this.#bestSoFar }),
      },
      tensors: await download(this.#state()),
    };
  }

  async #train(trainable: readonly Parameter[]): Promise<FitReport> {
    const { hooks } = this.#host;
    const began = performance.now();
    const epochs: EpochReport[] = [];
    const setting = {
      options: this.#options,
      hooks,
      step: this.#stepSetting(),
      trainable,
      optimizer: this.#optimizer!,
      clip: this.#clip,
      recorder: this.#recorder,
      data: this.#data,
      key: this.#key,
    };
    let stopped: FitReport['stopped'];
    let lastLoss = NaN;
    const { batchSize, accumulate, groupByLength } = this.#options;
    while (this.#step < this.#total && !stopped) {
      const epoch = Math.floor(this.#step / this.#stepsPerEpoch);
      const key = foldIn(this.#key, 'epoch', epoch);
      const updates = chunks(epochBatches(this.#data, batchSize, key, groupByLength), accumulate);
      const losses: number[] = [];
      for (const microbatches of updates.slice(this.#step % this.#stepsPerEpoch)) {
        if (this.#fit.signal?.aborted) stopped = 'signal';
        if (stopped || this.#step >= this.#total) break;
        const report = await update(setting, this.#step + 1, epoch, microbatches);
        this.#step += 1;
        lastLoss = report.loss;
        losses.push(report.loss);
        hooks.onStep.call(report);
        if (hooks.shouldStop.call(report)) stopped = 'shouldStop';
      }
      if (losses.length > 0) {
        const report = await this.#endEpoch(epoch, losses);
        epochs.push(report);
        await hooks.onEpoch.promise(report);
        if (!stopped && this.#outOfPatience(epoch)) stopped = 'patience';
      }
    }
    this.#takeBest();
    return { steps: this.#step, epochs, stopped, lastLoss, seconds: (performance.now() - began) / 1000 };
  }

  async #endEpoch(epoch: number, losses: readonly number[]): Promise<EpochReport> {
    const { validation, signal } = this.#fit;
    const evaluation =
      validation && !signal?.aborted
        ? await evaluateRows(validation, this.#instrument, this.#options, this.#recorder)
        : undefined;
    const metrics = evaluation ? { loss: evaluation.loss, ...evaluation.metrics } : {};
    if (this.#options.keepBest && evaluation)
      this.#keepIfBest(evaluation.metrics[this.#options.keepBest]!, epoch);
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
    for (const { name, variable } of this.#host.parameters) this.#best.set(name, tf.clone(variable));
  }

  #outOfPatience(epoch: number): boolean {
    const { patience } = this.#options;
    return (
      patience !== undefined && this.#bestSoFar !== undefined && epoch - this.#bestSoFar.epoch >= patience
    );
  }

  #takeBest(): void {
    for (const { name, variable } of this.#host.parameters) {
      const best = this.#best.get(name);
      if (best)
        tf.tidy(() => {
          variable.assign(tf.clone(best));
        });
    }
  }

  async #load(run: Run): Promise<void> {
    const { afterLoad } = this.#host.hooks;
    if (!afterLoad.isUsed()) return;
    const before = new Map(this.#host.parameters.map(({ name, variable }) => [name, variable as tf.Tensor]));
    const after = await afterLoad.promise(before, run);
    for (const { name, variable } of this.#host.parameters) {
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
    const { shouldTrain } = this.#host.hooks;
    for (const parameter of this.#host.parameters)
      if (parameter.trainable && shouldTrain.call(parameter) === false) parameter.trainable = false;
    const trainable = this.#host.parameters.filter((parameter) => parameter.trainable);
    if (trainable.length === 0)
      throw new HypetuneError(
        'trainer: no parameter is left to train; unfreeze a layer or drop a shouldTrain tap.',
      );
    return trainable;
  }

  #stepSetting(): StepSetting {
    const { hooks, dropout, perturbMain } = this.#host;
    const { task, loss, optimizer, schedule } = this.#options;
    return {
      instrument: this.#instrument,
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

  /** Every tensor of the run by its name in a snapshot. */
  #state(): Map<string, tf.Tensor> {
    const state = new Map<string, tf.Tensor>();
    for (const { name, variable } of this.#host.parameters) state.set(`model/${name}`, variable);
    for (const [name, { first, second }] of this.#optimizer?.state() ?? [])
      state.set(`first/${name}`, first).set(`second/${name}`, second);
    const stores: [string, KeptTensors][] = [...this.#host.stores].map(([name, store]) => [
      `plugin/${name}`,
      store,
    ]);
    for (const [prefix, store] of [
      ['reference', this.#host.references],
      ['best', this.#best],
      ...stores,
    ] as const)
      for (const name of store.names()) state.set(`${prefix}/${name}`, store.get(name)!);
    return state;
  }

  #restore(snapshot: Snapshot): void {
    const { meta } = snapshot;
    const ours = this.#plugins.map(({ name }) => name).sort();
    const theirs = Object.keys(meta.plugins).sort();
    if (meta.seed !== this.#options.seed || meta.total !== this.#total || ours.join() !== theirs.join())
      throw new HypetuneError(
        `resume: the snapshot is of seed ${meta.seed}, ${meta.total} steps, plugins [${theirs.join(', ')}]; this run has ` +
          `seed ${this.#options.seed}, ${this.#total} steps, plugins [${ours.join(', ')}]. Resume with the same settings.`,
      );
    const assign = (name: string, variable: tf.Variable): void => {
      tf.tidy(() => {
        variable.assign(upload(snapshot, name, variable.shape));
      });
    };
    for (const { name, variable } of this.#host.parameters) assign(`model/${name}`, variable);
    for (const [name, { first, second }] of this.#optimizer!.state()) {
      assign(`first/${name}`, first);
      assign(`second/${name}`, second);
    }
    for (const path of Object.keys(snapshot.tensors)) {
      const [prefix, rest] = splitOnce(path);
      if (prefix === 'reference') this.#host.references.set(rest, upload(snapshot, path));
      if (prefix === 'best') this.#best.set(rest, upload(snapshot, path));
      if (prefix !== 'plugin') continue;
      const [plugin, name] = splitOnce(rest);
      this.#host.tensors(plugin).set(name, upload(snapshot, path));
    }
    for (const plugin of this.#plugins) plugin.restore?.(meta.plugins[plugin.name]!);
    this.#bestSoFar = meta.best;
    this.#step = meta.step;
  }

  async #eachGradient(visit: (gradients: Gradients, batch: number, batches: number) => void): Promise<void> {
    const { task, batchSize, lengthMultiple, loss, model } = this.#options;
    const key = foldIn(this.#key, 'each-gradient');
    const batches = epochBatches(this.#data, batchSize, key, false);
    const trainable = this.#host.parameters.filter((parameter) => parameter.trainable);
    for (const [place, rows] of batches.entries()) {
      runStep(this.#recorder, () => {
        const padded = this.#recorder ? batchSize : rows.length;
        const batch = collate(this.#data, rows, {
          task,
          width: labelWidth(model, task),
          rows: padded,
          lengthMultiple,
        });
        const own = foldIn(key, place);
        const pass = {
          name: 'main',
          kind: 'main',
          training: true,
          perturb: false,
          key: own,
          stepKey: own,
        } as const;
        const options = { dropout: this.#host.dropout, silent: true };
        const total = (): tf.Scalar => {
          const output = this.#instrument.run({ ...pass, rows: batch.indices.length }, batch.inputs, options);
          return weightedMean(loss(toLogits(model, output, task), batch.labels), batch.weights);
        };
        const xs = trainable.map(({ variable }) => variable as tf.Tensor);
        const { grads } = keepingForGradient(() => tf.engine().gradients(total, xs, undefined, true));
        visit(
          Object.fromEntries(
            trainable.map(({ name, variable }, i) => [name, grads[i] ?? tf.zerosLike(variable)]),
          ),
          place,
          batches.length,
        );
        return [];
      });
      // Lets progress bars and signals through between batches.
      await tf.nextFrame();
    }
  }
}

function splitOnce(path: string): [string, string] {
  const at = path.indexOf('/');
  return [path.slice(0, at), path.slice(at + 1)];
}
