import type { Dataset } from './batch.js';
import { checkStack, checkStages } from './stack.js';
import { predictRows, evaluateRows, type Evaluation } from './evaluation.js';
import { HypetuneError } from './errors.js';
import { explain } from './explain.js';
import { guardTaps } from './guard.js';
import { createHooks, type TrainerHooks } from './hooks.js';
import { Host } from './host.js';
import { Instrument } from './instrument.js';
import { Clip } from './optim/clip.js';
import { resolveOptions, type ResolvedOptions, type TrainerOptions } from './options.js';
import { listParameters, type Parameter } from './parameters.js';
import type { Plugin } from './plugin.js';
import { stepRecorder, type RecordingReport, type StepRecorder } from './recorder.js';
import { Session, type FitOptions, type FitReport } from './session.js';
import type { Snapshot } from './checkpoint/snapshot.js';
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
  readonly #parameters: readonly Parameter[];
  readonly #instrument: Instrument;
  readonly #host: Host;
  readonly #clip: Clip;
  #session: Session | undefined;
  #fits = 0;

  constructor(options: TrainerOptions) {
    this.options = resolveOptions(options);
    this.plugins = this.options.plugins;
    this.hooks = createHooks();
    this.trace = this.options.trace ? new Trace() : undefined;
    guardTaps(this.hooks, this.trace?.observe);
    this.#parameters = listParameters(this.options.model);
    this.#instrument = new Instrument(
      this.options.model,
      this.#parameters,
      this.hooks,
      this.options.hiddenLayers,
    );
    this.#host = new Host(this.options, this.hooks, this.#parameters, this.#instrument);
    this.#clip = new Clip(this.options.clipNorm);
    this.#clip.apply(this.hooks);
    checkStack(this.plugins, this.#host);
    for (const plugin of this.plugins) plugin.apply(this.#host);
    checkStages(this.#host);
  }

  /** Trains, and leaves the model instrumented no longer, whatever happens. */
  async fit(data: Dataset, fit: FitOptions = {}): Promise<FitReport> {
    if (this.#session)
      throw new HypetuneError('trainer: fit is running; wait for it before you call it again.');
    if (data.size === 0) throw new HypetuneError('trainer: the training data has no rows.');
    const session = new Session({
      options: this.options,
      host: this.#host,
      plugins: this.plugins,
      instrument: this.#instrument,
      recorder: this.#recorder(),
      clip: this.#clip,
      data,
      fit,
      fits: this.#fits,
    });
    this.#session = session;
    this.#fits += 1;
    this.#instrument.attach();
    try {
      return await session.run();
    } finally {
      this.#instrument.detach();
      this.#session = undefined;
      this.#host.release();
    }
  }

  /** Mean task loss and the metrics over a data set; nothing random acts. */
  async evaluate(data: Dataset): Promise<Evaluation> {
    return this.#attached(() => evaluateRows(data, this.#instrument, this.options, this.#recorder()));
  }

  /** The model's logits for each row, in order. */
  async predict(data: Dataset): Promise<Float32Array[]> {
    return this.#attached(() => predictRows(data, this.#instrument, this.options, this.#recorder()));
  }

  /** Everything the running fit needs to be resumed; to be called in a tap of `onEpoch` or `onFitEnd`. */
  async snapshot(): Promise<Snapshot> {
    if (!this.#session)
      throw new HypetuneError(
        'trainer: there is a snapshot only while fit runs; take it in onEpoch or onFitEnd.',
      );
    return this.#session.snapshot();
  }

  /** How the engine compiled the steps so far; undefined where it cannot. */
  compileReport(): RecordingReport | undefined {
    return this.#recorder()?.report();
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

  async #attached<T>(f: () => Promise<T>): Promise<T> {
    if (this.#instrument.isAttached) return f();
    this.#instrument.attach();
    try {
      return await f();
    } finally {
      this.#instrument.detach();
    }
  }
}
