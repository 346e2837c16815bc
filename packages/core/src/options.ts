import type { LayersModel } from '@tensorflow/tfjs-layers';
import { checkChoice, checkKeys, checkNumber, HypetuneError, show } from './errors.js';
import { defaultLoss, type LossFunction } from './losses.js';
import { checkMetrics, defaultMetrics, type MetricName } from './metrics/index.js';
import type { DropoutRates, Plugin } from './plugin.js';
import type { CompileOption, Precision } from './recorder.js';
import type { Task } from './step.js';

/** AdamW (Loshchilov and Hutter, 2019). */
export interface OptimizerOptions {
  /** Peak rate. Default 5e-5. */
  readonly learningRate?: number;
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** Decoupled; biases and normalization weights get none. Default 0.01. */
  readonly weightDecay?: number;
  /**
   * `torch`: epsilon after the bias correction, decay before the step (torch.optim.AdamW).
   * `hf`: epsilon outside the correction, decay on the new value (the former transformers AdamW). Default `torch`.
   */
  readonly epsilonMode?: 'torch' | 'hf';
  /** Default true. */
  readonly biasCorrection?: boolean;
}

export interface ScheduleOptions {
  /** A fraction of the steps if below 1, else a number of steps. Default 0.1. */
  readonly warmup?: number;
  /** After the warm-up: down to 0 on a line or a half cosine, or constant. Default `linear`. */
  readonly decay?: 'linear' | 'cosine' | 'constant';
}

export interface TrainerOptions {
  readonly model: LayersModel;
  readonly plugins?: readonly Plugin[];
  /** Default `classification`. */
  readonly task?: Task;
  /** Default softmax cross-entropy, or squared error for regression. */
  readonly loss?: LossFunction;
  readonly optimizer?: OptimizerOptions;
  readonly schedule?: ScheduleOptions;
  /** Largest global gradient norm; 0 turns clipping off. Default 1. */
  readonly clipNorm?: number;
  /** Rows of a microbatch. Default 16. */
  readonly batchSize?: number;
  /** Rows that `evaluate` and `predict` take at once; more are faster and take more memory. Default: `batchSize`. */
  readonly evaluationBatchSize?: number;
  /** Microbatches an update. Default 1. */
  readonly accumulate?: number;
  /** Default 3. */
  readonly epochs?: number;
  /** Ends the run, and the schedule, after so many updates instead of after the epochs. */
  readonly steps?: number;
  /** Default 0. */
  readonly seed?: number;
  /** Replaces the model's dropout rates while training. */
  readonly dropout?: DropoutRates;
  /** Paths of the layers whose inputs count as hidden states; default: every computing layer but the head. */
  readonly hiddenLayers?: readonly string[];
  /** Metrics of evaluations. Default: accuracy, or Pearson and Spearman for regression. */
  readonly metrics?: readonly MetricName[];
  /** Keep the weights of the epoch that was best on the validation data in this metric. */
  readonly keepBest?: MetricName;
  /** Stop after so many epochs without a new best; needs `keepBest`. */
  readonly patience?: number;
  /** Pad a batch to the first of these lengths, ascending, that its longest row fits; see `chooseLengths`. Default none. */
  readonly lengths?: readonly number[];
  /** Pad a batch that none of `lengths` holds to a multiple of this, so that few lengths occur. Default 16. */
  readonly lengthMultiple?: number;
  /** Draw batches from windows sorted by length: less padding, another order of rows. Default false. */
  readonly groupByLength?: boolean;
  /** Default `auto`. */
  readonly compile?: CompileOption;
  /**
   * What the matrix products of compiled steps are computed in. `bfloat16` is faster where the processor has it (AVX-512 BF16,
   * AMX) and rounds their operands and results to 8 binary digits; all else stays float32. Default `float32`.
   */
  readonly precision?: Precision;
  /** Collect, per step, which tap changed which value's norm; slow. Default false. */
  readonly trace?: boolean;
  /** Default `console.warn`. */
  readonly onWarning?: (message: string) => void;
}

/** The options with every default filled in. */
export interface ResolvedOptions extends Required<
  Omit<TrainerOptions, 'steps' | 'hiddenLayers' | 'keepBest' | 'patience' | 'optimizer' | 'schedule'>
> {
  readonly steps: number | undefined;
  readonly hiddenLayers: readonly string[] | undefined;
  readonly keepBest: MetricName | undefined;
  readonly patience: number | undefined;
  readonly optimizer: Required<OptimizerOptions>;
  readonly schedule: Required<ScheduleOptions>;
}

const KEYS = [
  ...[
    'model',
    'plugins',
    'task',
    'loss',
    'optimizer',
    'schedule',
    'clipNorm',
    'batchSize',
    'evaluationBatchSize',
    'accumulate',
    'epochs',
  ],
  ...['steps', 'seed', 'dropout', 'hiddenLayers', 'metrics', 'keepBest', 'patience', 'lengths'],
  ...['lengthMultiple', 'groupByLength', 'compile', 'precision', 'trace', 'onWarning'],
];

/** Checks every option and fills in the defaults. Throws a `HypetuneError` that names the bad option. */
export function resolveOptions(options: TrainerOptions): ResolvedOptions {
  checkKeys('trainer', options, KEYS);
  checkModel(options.model);
  const task = checkChoice('trainer', 'task', options.task ?? 'classification', [
    'classification',
    'regression',
  ]);
  const { metrics = defaultMetrics(task), keepBest, patience } = options;
  checkMetrics(keepBest === undefined ? metrics : [...metrics, keepBest], task);
  if (patience !== undefined) {
    checkNumber('trainer', 'patience', patience, { min: 1, integer: true });
    if (keepBest === undefined)
      throw new HypetuneError(
        `trainer: patience counts epochs without a better keepBest; name a metric in keepBest.`,
      );
  }
  const positive = (
    name: 'batchSize' | 'evaluationBatchSize' | 'accumulate' | 'epochs' | 'lengthMultiple',
    fallback: number,
  ): number => checkNumber('trainer', name, options[name] ?? fallback, { min: 1, integer: true });
  const batchSize = positive('batchSize', 16);
  return {
    model: options.model,
    plugins: options.plugins ?? [],
    task,
    loss: options.loss ?? defaultLoss(task),
    optimizer: resolveOptimizer(options.optimizer ?? {}),
    schedule: resolveSchedule(options.schedule ?? {}),
    clipNorm: checkNumber('trainer', 'clipNorm', options.clipNorm ?? 1, { min: 0 }),
    batchSize,
    evaluationBatchSize: positive('evaluationBatchSize', batchSize),
    accumulate: positive('accumulate', 1),
    epochs: positive('epochs', 3),
    steps: options.steps && checkNumber('trainer', 'steps', options.steps, { min: 1, integer: true }),
    seed: checkNumber('trainer', 'seed', options.seed ?? 0, {
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      integer: true,
    }),
    dropout: checkDropout('trainer', options.dropout ?? {}),
    hiddenLayers: options.hiddenLayers,
    metrics: keepBest !== undefined && !metrics.includes(keepBest) ? [...metrics, keepBest] : metrics,
    keepBest,
    patience,
    lengths: checkLengths(options.lengths ?? []),
    lengthMultiple: positive('lengthMultiple', 16),
    groupByLength: options.groupByLength ?? false,
    compile: options.compile ?? 'auto',
    precision: checkChoice('trainer', 'precision', options.precision ?? 'float32', ['float32', 'bfloat16']),
    trace: options.trace ?? false,
    onWarning:
      options.onWarning ??
      ((message) => {
        console.warn(message);
      }),
  };
}

function checkLengths(lengths: readonly number[]): readonly number[] {
  if (!(lengths instanceof Array))
    throw new HypetuneError(`trainer: lengths must be a list of integers, got ${show(lengths)}.`);
  let min = 1;
  for (const [place, length] of lengths.entries())
    min = checkNumber('trainer', `lengths[${place}]`, length, { min, integer: true }) + 1;
  return lengths;
}

/** Checks dropout rates. */
export function checkDropout(owner: string, rates: DropoutRates): DropoutRates {
  checkKeys(`${owner}: dropout`, rates, ['hidden', 'attention']);
  for (const [kind, rate] of Object.entries(rates))
    if (rate !== undefined) checkNumber(owner, `dropout.${kind}`, rate, { min: 0, max: 1, below: true });
  return rates;
}

function resolveOptimizer(options: OptimizerOptions): Required<OptimizerOptions> {
  const owner = 'trainer: optimizer';
  checkKeys(owner, options, [
    ...['learningRate', 'beta1', 'beta2', 'epsilon', 'weightDecay', 'epsilonMode', 'biasCorrection'],
  ]);
  return {
    learningRate: checkNumber(owner, 'learningRate', options.learningRate ?? 5e-5, { min: 0 }),
    beta1: checkNumber(owner, 'beta1', options.beta1 ?? 0.9, { min: 0, max: 1, below: true }),
    beta2: checkNumber(owner, 'beta2', options.beta2 ?? 0.999, { min: 0, max: 1, below: true }),
    epsilon: checkNumber(owner, 'epsilon', options.epsilon ?? 1e-8, { min: 0, above: true }),
    weightDecay: checkNumber(owner, 'weightDecay', options.weightDecay ?? 0.01, { min: 0 }),
    epsilonMode: checkChoice(owner, 'epsilonMode', options.epsilonMode ?? 'torch', ['torch', 'hf']),
    biasCorrection: options.biasCorrection ?? true,
  };
}

function resolveSchedule(options: ScheduleOptions): Required<ScheduleOptions> {
  const owner = 'trainer: schedule';
  checkKeys(owner, options, ['warmup', 'decay']);
  return {
    warmup: checkNumber(owner, 'warmup', options.warmup ?? 0.1, { min: 0 }),
    decay: checkChoice(owner, 'decay', options.decay ?? 'linear', ['linear', 'cosine', 'constant']),
  };
}

function checkModel(model: unknown): void {
  const candidate = model as Partial<LayersModel> | undefined;
  if (!candidate || !Array.isArray(candidate.layers) || typeof candidate.apply !== 'function')
    throw new HypetuneError(
      `trainer: model must be a tf.LayersModel (tf.model, tf.sequential or one of @hypetune/models), got ${
        model === undefined ? 'undefined' : typeof model
      }.`,
    );
  if (candidate.outputs?.length !== 1)
    throw new HypetuneError(
      `trainer: model must have one output, got ${candidate.outputs?.length ?? 0}; build it (fix its input shape) ` +
        `or wrap the output you train into a tf.model of its own.`,
    );
}
