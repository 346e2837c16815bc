import { HypetuneError, METRIC_NAMES, type MetricName, show } from '@hypetune/core';
import { z } from 'zod';

/** What a run or a comparison is told, under the same names in a config file and (kebab-case) as flags. */
export interface Settings {
  /** Where the pre-trained model comes from: `pip:`, `npm:`, `hf:`, `file:` or a folder. */
  readonly model?: string | undefined;
  /** A built-in task: `spam`, `cola`, `mrpc`, `rte`, `sst-2`, `sts-b`. */
  readonly task?: string | undefined;
  /** Folder (or source) that holds the GLUE tasks. */
  readonly data?: string | undefined;
  /** Table of training rows of a task of one's own. */
  readonly train?: string | undefined;
  readonly validation?: string | undefined;
  readonly textColumn?: string | undefined;
  readonly pairColumn?: string | undefined;
  readonly labelColumn?: string | undefined;
  /** Class names in the order of the outputs. */
  readonly labels?: readonly string[] | undefined;
  readonly regression?: boolean | undefined;
  /** Training rows: the first of a fixed shuffle. */
  readonly limit?: number | undefined;
  /** Rows to measure on: the first of a fixed shuffle. */
  readonly evaluationLimit?: number | undefined;
  /** Tokens a row is cut to. */
  readonly maxLength?: number | undefined;
  /** Pad batches to a multiple of so many tokens (default: a third of the longest row, so that a step comes in three sizes). */
  readonly lengthMultiple?: number | undefined;
  /** Put rows of a like length into one batch: less padding, another order of rows. */
  readonly groupByLength?: boolean | undefined;
  readonly epochs?: number | undefined;
  /** Updates, instead of epochs. */
  readonly steps?: number | undefined;
  readonly batchSize?: number | undefined;
  /** Rows measured at once (default: `batchSize`). */
  readonly evaluationBatchSize?: number | undefined;
  readonly accumulate?: number | undefined;
  readonly learningRate?: number | undefined;
  readonly weightDecay?: number | undefined;
  /** Fraction of the steps (below 1) or number of steps. */
  readonly warmup?: number | undefined;
  readonly decay?: 'linear' | 'constant' | 'cosine' | undefined;
  readonly clipNorm?: number | undefined;
  readonly metrics?: readonly MetricName[] | undefined;
  readonly keepBest?: MetricName | undefined;
  readonly patience?: number | undefined;
  readonly engine?: string | undefined;
  readonly compile?: boolean | undefined;
  readonly precision?: 'float32' | 'bfloat16' | undefined;
}

const count = z.int().min(1);
const metric = z.enum(METRIC_NAMES as [MetricName, ...MetricName[]]);

/** The checks of `Settings`, to build the checks of config files on. */
export const settingChecks: { readonly [K in keyof Required<Settings>]: z.ZodOptional } = {
  model: z.string().optional(),
  task: z.string().optional(),
  data: z.string().optional(),
  train: z.string().optional(),
  validation: z.string().optional(),
  textColumn: z.string().optional(),
  pairColumn: z.string().optional(),
  labelColumn: z.string().optional(),
  labels: z.array(z.string()).min(2).optional(),
  regression: z.boolean().optional(),
  limit: count.optional(),
  evaluationLimit: count.optional(),
  maxLength: z.int().min(3).optional(),
  lengthMultiple: count.optional(),
  groupByLength: z.boolean().optional(),
  epochs: count.optional(),
  steps: count.optional(),
  batchSize: count.optional(),
  evaluationBatchSize: count.optional(),
  accumulate: count.optional(),
  learningRate: z.number().positive().optional(),
  weightDecay: z.number().min(0).optional(),
  warmup: z.number().min(0).optional(),
  decay: z.enum(['linear', 'constant', 'cosine']).optional(),
  clipNorm: z.number().min(0).optional(),
  metrics: z.array(metric).min(1).optional(),
  keepBest: metric.optional(),
  patience: count.optional(),
  engine: z.string().optional(),
  compile: z.boolean().optional(),
  precision: z.enum(['float32', 'bfloat16']).optional(),
};

/** The settings a value holds; throws with `origin`, the setting's name and what was wrong with it. */
export function check<T>(schema: z.ZodType<T>, value: unknown, origin: (setting: string) => string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const path = issue.path.map(String);
  const got = issue.path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown>)[key], value);
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  if (unknownKey !== undefined)
    throw new HypetuneError(`${origin([...path, unknownKey].join('.'))}: there is no such setting.`);
  throw new HypetuneError(`${origin(path.join('.'))}: ${lower(issue.message)}, got ${show(got)}.`);
}

/** Values given as flags; an error names the flag. */
export function checkFlags(value: unknown): Settings {
  return check(z.strictObject(settingChecks) as z.ZodType<Settings>, value, flagName);
}

/** `learningRate` as it is written on the command line. */
export function flagName(setting: string): string {
  return `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function lower(message: string): string {
  return message.slice(0, 1).toLowerCase() + message.slice(1);
}
