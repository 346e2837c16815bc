import './banner.js';
import './tensor-methods.js';
import type { Dataset } from './batch.js';
import { checkLabels } from './data/collate.js';
import { checkStack, checkStages } from './stack.js';
import {
  evaluateRows,
  type Evaluation,
  type EvaluationSetting,
  predictionsOf,
  predictRows,
} from './evaluation.js';
import { HypetuneError } from './errors.js';
import { explain } from './explain.js';
import { guardTaps, namedHooks } from './guard.js';
import { createHooks, type TrainerHooks, type WeightMap } from './hooks.js';
import { Host } from './host.js';
import { Instrument } from './instrument.js';
import { outputOf } from './model-output.js';
import { Clip } from './optim/clip.js';
import { resolveOptions, type ResolvedOptions, type TrainerOptions } from './options.js';
import { listParameters, type ModelParameter } from './parameters.js';
import type { Plugin } from './plugin.js';
import { stepRecorder, type RecordingReport, type StepRecorder } from './recorder.js';
import { Session, type FitOptions, type FitReport } from './session.js';
import type { Snapshot } from './checkpoint/snapshot.js';
import type { Prediction, Task } from './tasks/index.js';
import { Trace } from './trace.js';

/**
 * Fine-tunes any `tf.LayersModel`. Plugins tap the hooks; between calls of `fit` the model is an ordinary one.
 * The constructor checks every option and the whole stack of plugins and throws a `HypetuneError` that names what is wrong.
 */
export class Trainer {
  readonly hooks: TrainerHooks;
  readonly plugins: readonly Plugin[];
  readonly options: ResolvedOptions;
  /** What taps changed, if `trace` was asked for. */
  readonly trace: Trace | undefined;
  readonly #parameters: readonly ModelParameter[];
  readonly #instrument: Instrument;
  readonly #host: Host;
  readonly #clip: Clip;
  #session: Session | undefined;
  #fits = 0;
  /** The task with what it took from the rows of the last fit. */
  #task: Task;

  constructor(options: TrainerOptions) {
    this.options = resolveOptions(options);
    this.#task = this.options.task;
    this.plugins = this.options.plugins;
    this.hooks = namedHooks(createHooks());
    this.trace = this.options.trace ? new Trace() : undefined;
    guardTaps(
      this.hooks,
      this.options.compile === false || this.options.trace,
      (hook, plugin, before, after) => {
        if (hook === 'afterLoad') this.#host.noteLoaded(plugin, before as WeightMap, after as WeightMap);
        this.trace?.observe(hook, plugin, before, after);
      },
    );
    this.#parameters = listParameters(this.options.model);
    this.#instrument = new Instrument(
      this.options.model,
      this.#parameters,
      this.hooks,
      this.options.hiddenLayers,
      this.options.recompute,
    );
    this.#host = new Host(this.options, this.hooks, this.#parameters, this.#instrument);
    this.#clip = new Clip(this.options.clipNorm);
    this.#clip.apply(this.hooks);
    checkStack(this.plugins, this.#host);
    for (const plugin of this.plugins) plugin.apply(this.#host.for(plugin.name));
    this.#host.checkDropout();
    checkStages(this.#host);
  }

  /** Trains, and leaves the model instrumented no longer, whatever happens. */
  async fit(data: Dataset, fit: FitOptions = {}): Promise<FitReport> {
    if (this.#session)
      throw new HypetuneError('trainer: fit is running; wait for it before you call it again.');
    const { task, model } = this.options;
    const output = outputOf(model);
    // Before the first step, not after an epoch that would be lost.
    checkLabels(data, 'training', { task, output });
    if (fit.validation) checkLabels(fit.validation, 'validation', { task, output });
    const bound = task.bind?.(data, task.outputs(output));
    this.#task = bound ? { ...task, ...bound } : task;
    const fits = fit.resume ? (fit.resume.meta.fits ?? 0) : this.#fits;
    const session = new Session({
      options: this.#bound(),
      host: this.#host,
      plugins: this.plugins,
      instrument: this.#instrument,
      recorder: this.#recorder(),
      clip: this.#clip,
      data,
      fit,
      fits,
    });
    this.#session = session;
    this.#fits = fits + 1;
    this.#instrument.attach();
    try {
      return await session.run();
    } finally {
      this.#instrument.detach();
      this.#session = undefined;
      this.#host.release();
    }
  }

  /** Mean task loss and the metrics over a data set; nothing random acts. While `fit` runs, of the weights it would leave. */
  async evaluate(data: Dataset): Promise<Evaluation> {
    return this.#attached((setting) => evaluateRows(data, setting));
  }

  /** The model's logits for each row, in order, of the same weights as `evaluate`; token by token for a task of tokens. */
  async predict(data: Dataset): Promise<Float32Array[]> {
    return this.#attached((setting) => predictRows(data, setting));
  }

  /** What the model says of each row, in order: its class, labels or values, and the probabilities. */
  async predictions(data: Dataset): Promise<Prediction[]> {
    return this.#attached((setting) => predictionsOf(data, setting));
  }

  /** Everything the running fit needs to be resumed; to be called in a tap of `onPause`, `onEpoch` or `onFitEnd`. */
  async snapshot(): Promise<Snapshot> {
    if (!this.#session)
      throw new HypetuneError(
        'trainer: there is a snapshot only while fit runs; take it in onPause, onEpoch or onFitEnd.',
      );
    return this.#session.snapshot();
  }

  /**
   * Runs `f` while the model holds the weights that plugins make for measuring and saving (a running average, merged
   * adapters); to be called in a tap of `onEpoch`. When `fit` has ended the model holds them anyway.
   */
  async withEvaluatedWeights<T>(f: () => Promise<T>): Promise<T> {
    return this.#session ? this.#session.withEvaluatedWeights(f) : f();
  }

  /** How the engine compiled the steps so far; undefined where it cannot. */
  compileReport(): RecordingReport | undefined {
    return this.#recorder()?.report();
  }

  /** Who gave pre-trained weights other values by `afterLoad`, in the run at hand or the one that it goes on from. */
  get changedOnLoad(): readonly string[] {
    return [...this.#host.changedOnLoad];
  }

  /** What this trainer will do, hook by hook: the taps in their order, the passes, the parameters, the engine. */
  explain(): string {
    return explain(this.options, this.#host, this.#recorder());
  }

  #recorder(): StepRecorder | undefined {
    // A trace reads values in the middle of a step, which a compiled one does not have.
    const { compile, precision } = this.options;
    return stepRecorder(this.trace ? false : compile, precision, (line) => {
      this.#host.warn('precision', line);
    });
  }

  #bound(): ResolvedOptions {
    return { ...this.options, task: this.#task };
  }

  async #attached<T>(f: (setting: EvaluationSetting) => Promise<T>): Promise<T> {
    const setting = { instrument: this.#instrument, options: this.#bound(), recorder: this.#recorder() };
    if (this.#instrument.isAttached) return this.withEvaluatedWeights(() => f(setting));
    this.#instrument.attach();
    try {
      return await f(setting);
    } finally {
      this.#instrument.detach();
    }
  }
}
