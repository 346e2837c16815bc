import type { LayersModel } from '@tensorflow/tfjs-layers';
import { z } from 'zod';
import { HypetuneError } from './errors.js';
import { checkMetrics, type Metric, type MetricName, resolveMetrics } from './metrics/index.js';
import { outputOf } from './model-output.js';
import type { Plugin } from './plugin.js';
import { complete, type Complete, type Given } from './schema.js';
import { type LossFunction, resolveTask, type Task, type TaskName } from './tasks/index.js';
import { checkLoss } from './tasks/task.js';

const count = z.int().min(1);
const rate = z.number().min(0).lt(1);
const list = <T>(wanted: string): z.ZodCustom<readonly T[], readonly T[]> =>
  z.custom<readonly T[]>((value) => Array.isArray(value)).meta({ wanted });

/** Dropout rates. */
export const dropoutSettings = {
  hidden: rate.optional().describe("rate of hidden states; the model's own unless given"),
  attention: rate.optional().describe("rate of attention probabilities; the model's own unless given"),
};

/** AdamW (Loshchilov and Hutter, 2019). */
export const optimizerSettings = {
  learningRate: z.number().min(0).default(5e-5).describe('peak rate'),
  beta1: rate.default(0.9).describe('decay of the first moment'),
  beta2: rate.default(0.999).describe('decay of the second moment'),
  epsilon: z.number().gt(0).default(1e-8).describe('added to the root of the second moment'),
  weightDecay: z
    .number()
    .min(0)
    .default(0.01)
    .describe('decoupled; biases and normalization weights get none'),
  epsilonMode: z
    .enum(['torch', 'hf'])
    .default('torch')
    .describe(
      'torch: epsilon after the bias correction, decay before the step (torch.optim.AdamW); hf: epsilon outside the correction, decay on the new value (the former transformers AdamW)',
    ),
  biasCorrection: z.boolean().default(true).describe('divide the moments by what they lack at the start'),
};

/** The learning rate over a run. */
export const scheduleSettings = {
  warmup: z
    .number()
    .min(0)
    .default(0.1)
    .describe('steps up to the peak rate: a fraction of all if below 1, rounded up, else their number'),
  decay: z
    .enum(['linear', 'cosine', 'constant'])
    .default('linear')
    .describe('after the warm-up: down to 0 on a line or a half cosine, or constant'),
};

/** What a trainer is told. */
export const trainerSettings = {
  model: z
    .custom<LayersModel>((value) => {
      const { layers, apply } = (value ?? {}) as Partial<LayersModel>;
      return Array.isArray(layers) && typeof apply === 'function';
    })
    .meta({
      description: 'the model to train',
      wanted: 'a tf.LayersModel (tf.model, tf.sequential or one of @hypetune/models)',
    }),
  plugins: list<Plugin>('a list of plugins').optional().describe('methods, in any order'),
  task: z
    .custom<Task | TaskName>()
    .meta({ wanted: 'a task or the short name of one' })
    .optional()
    .describe(
      'what the model is trained for: an object as singleLabel() or multiLabel(), or its short name; classification unless given',
    ),
  loss: z
    .custom<LossFunction>((value) => typeof value === 'function')
    .meta({ wanted: 'a function' })
    .optional()
    .describe("loss of each row; the task's own unless given"),
  optimizer: z.strictObject(optimizerSettings).prefault({}).describe('settings of AdamW'),
  schedule: z.strictObject(scheduleSettings).prefault({}).describe('the learning rate over the run'),
  clipNorm: z.number().min(0).default(1).describe('largest global gradient norm; 0 turns clipping off'),
  batchSize: count.default(16).describe('rows of a microbatch'),
  evaluationBatchSize: count
    .optional()
    .describe('rows measured at once, more are faster and take more memory; batchSize unless given'),
  accumulate: count.default(1).describe('microbatches an update'),
  epochs: count.default(3).describe('passes over the data'),
  steps: count
    .optional()
    .describe('ends the run, and the schedule, after so many updates instead of after the epochs'),
  seed: z.int().min(0).default(0).describe('decides every draw and the order of rows'),
  dropout: z
    .strictObject(dropoutSettings)
    .prefault({})
    .describe("rates while training in the place of the model's"),
  hiddenLayers: z
    .array(z.string())
    .optional()
    .describe(
      'paths of the layers whose inputs count as hidden states; every computing layer but the head unless given',
    ),
  metrics: list<MetricName | Metric>('a list of metrics')
    .optional()
    .describe(
      "what evaluations measure, shipped metrics by name or objects of one's own; the task's unless given",
    ),
  keepBest: z
    .custom<MetricName | Metric | 'loss'>()
    .meta({ wanted: "a metric, the name of one or 'loss'" })
    .optional()
    .describe(
      'keep the weights of the epoch that was best on the validation data in this metric, or in the loss',
    ),
  evaluateEvery: count
    .optional()
    .describe('measure the validation data after so many steps too, not at the end of an epoch alone'),
  patience: count.optional().describe('stop after so many epochs without a new best; needs keepBest'),
  lengths: z
    .array(count)
    .refine((lengths) => lengths.every((length, place) => place === 0 || length > lengths[place - 1]!), {
      error: 'a list of ascending integers',
    })
    .default([])
    .describe('pad a batch to the first of these lengths that its longest row fits; see chooseLengths'),
  lengthMultiple: count
    .default(16)
    .describe('pad a batch that none of lengths holds to a multiple of this, so that few lengths occur'),
  groupByLength: z
    .boolean()
    .default(false)
    .describe('draw batches from windows sorted by length: less padding, another order of rows'),
  compile: z
    .union([z.literal('auto'), z.boolean()])
    .default('auto')
    .describe('run a whole step as one compiled function: where the engine can, always, or never'),
  precision: z
    .enum(['float32', 'bfloat16', 'auto'])
    .default('float32')
    .describe(
      'what matrix products are computed in, everything else is float32; auto: bfloat16 where the processor has it, and says so',
    ),
  recompute: z
    .boolean()
    .default(false)
    .describe(
      'keep of every hidden layer but the last only what enters it, and compute the rest again for the gradient: less memory, about a third more time',
    ),
  trace: z.boolean().default(false).describe("collect, per step, which tap changed which value's norm; slow"),
  onWarning: z
    .custom<(message: string) => void>((value) => typeof value === 'function')
    .meta({ wanted: 'a function' })
    .optional()
    .describe('gets what is to be said; console.warn unless given'),
};

export type OptimizerOptions = Given<typeof optimizerSettings>;
/** The same with every default filled in. */
export type OptimizerSettings = Complete<typeof optimizerSettings>;
export type ScheduleOptions = Given<typeof scheduleSettings>;
/** The same with every default filled in. */
export type ScheduleSettings = Complete<typeof scheduleSettings>;
export type DropoutRates = Partial<Complete<typeof dropoutSettings>>;
export type TrainerOptions = Given<typeof trainerSettings>;

type Checked = Complete<typeof trainerSettings>;

/** The options with every default filled in. */
export interface ResolvedOptions extends Omit<
  Checked,
  'plugins' | 'task' | 'metrics' | 'keepBest' | 'onWarning'
> {
  readonly plugins: readonly Plugin[];
  readonly task: Task;
  readonly metrics: readonly Metric[];
  readonly evaluationBatchSize: number;
  readonly onWarning: (message: string) => void;
  /** What the best epoch is chosen by. */
  readonly keepBest: Criterion | undefined;
}

/** A number of an evaluation by name, and which way it is better. */
export interface Criterion {
  readonly name: string;
  readonly greaterIsBetter: boolean;
}

/** Checks every option and fills in the defaults. Throws a `HypetuneError` that names the bad option. */
export function resolveOptions(given: TrainerOptions): ResolvedOptions {
  const options = complete('trainer', trainerSettings, given);
  const { model, plugins = [], batchSize, evaluationBatchSize = batchSize, keepBest, patience } = options;
  const { length } = (model as Partial<LayersModel>).outputs ?? [];
  if (length !== 1)
    throw new HypetuneError(
      `trainer: model must have one output, got ${length}; build it (fix its input shape) ` +
        `or wrap the output you train into a tf.model of its own.`,
    );
  if (patience !== undefined && keepBest === undefined)
    throw new HypetuneError(
      `trainer: patience counts epochs without a better keepBest; name a metric in keepBest.`,
    );
  const task = resolveTask(options.task ?? 'classification');
  checkLoss(task, options.loss);
  const best = keepBest === undefined || keepBest === 'loss' ? [] : resolveMetrics([keepBest]);
  const asked = resolveMetrics(options.metrics ?? task.metrics);
  const metrics = [...asked, ...best.filter(({ name }) => asked.every((other) => other.name !== name))];
  checkMetrics(metrics, { task, outputs: task.outputs(outputOf(model)) });
  return {
    ...options,
    onWarning: options.onWarning ?? warnOnConsole,
    ...{ plugins, task, metrics, evaluationBatchSize },
    keepBest: keepBest === 'loss' ? { name: 'loss', greaterIsBetter: false } : best[0],
  };
}

function warnOnConsole(message: string): void {
  console.warn(message);
}

/** Checks dropout rates. */
export function checkDropout(owner: string, rates: DropoutRates): DropoutRates {
  return complete(`${owner}: dropout`, dropoutSettings, rates);
}
