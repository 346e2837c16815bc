import { HypetuneError, type Snapshot, type TaskName } from '@hypetune/core';
import type { Command } from 'commander';
import { checkOutput } from '../atomic.js';
import { absolutePaths, checkConfig, type Config, readConfig } from '../config-file.js';
import { startEngine } from '../engine.js';
import { onInterrupt } from '../interrupt.js';
import { type Methods, withMethods } from '../methods.js';
import {
  checkOptionsUsed,
  describeRecipe,
  methodOptions,
  namedRecipe,
  type Recipe,
  recipeOf,
} from '../recipes.js';
import { readRun, readRunCheckpoint, type RunRecord, saveRecord, saveRun } from '../run-folder.js';
import { classTable, metricsLine, noteTask } from '../report/figures.js';
import { run } from '../run.js';
import { flagName } from '../settings.js';
import { prepare } from '../setup.js';
import type { TextTask } from '../tasks/task.js';
import { note, print, type Terminal, warnOnce } from '../terminal.js';
import { addSettingFlags, numberFlag, repeatedFlag, settingsOf } from './flags.js';

interface TrainFlags {
  readonly config?: string;
  readonly recipe?: string;
  readonly option: readonly string[];
  readonly seed?: number;
  readonly out?: string;
  readonly force?: true;
  readonly resume?: string;
  readonly checkpoint: boolean;
  readonly explain?: true;
}

const OWN = ['config', 'recipe', 'option', 'seed', 'out', 'force', 'resume', 'checkpoint', 'explain'];

const EXAMPLES = `
Examples:
  hypetune train --task spam --recipe hype+r3f --out runs/spam
  hypetune train --train tickets.csv --text-column subject --label-column category
    --keep-best macro_f1 --patience 2 --epochs 10 --out runs/tickets
  hypetune train --resume runs/tickets --epochs 20`;

/** The command's name, flags and action; the exit code goes to `done`. */
export function addTrain(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program
    .command('train')
    .description('fine-tune a model once')
    .option('--config <file>', 'settings from a .yaml, .json or .ts file; flags win over it')
    .option('--recipe <stack>', 'vanilla, nodrop, or methods joined by +, as hype+r3f (default: hype)')
    .option('--option <method.option=value>', 'an option of a method, as hype.scale=1e-4', repeatedFlag, [])
    .option('--seed <number>', 'default: 0', numberFlag)
    .option('--out <folder>', 'save the tuned model here')
    .option('--force', 'replace what is in --out')
    .option(
      '--resume <folder>',
      'go on with a run that was stopped; with more --epochs or --steps, also with a finished one',
    )
    .option('--no-checkpoint', 'save the tuned model alone: a quarter of the size, but no way to resume')
    .option('--explain', 'print what the trainer will do, hook by hook');
  command.addHelpText('after', EXAMPLES);
  addSettingFlags(command).action(async () => {
    done(await train(command, terminal));
  });
}

async function train(command: Command, terminal: Terminal): Promise<number> {
  const flags = command.opts<TrainFlags>();
  const { config, resumed, out } = await plan(command, flags);
  const recipe = recipeOfConfig(config, flags, await withMethods(config.methods ?? []));
  if (resumed) checkRecipe(resumed.record, recipe);
  const { seed = 0 } = config;
  if (out !== undefined) await checkOutput(out, flags.force === true || out === flags.resume);
  const interrupt = onInterrupt(terminal);
  try {
    const setup = await prepare(config, terminal, interrupt.signal);
    const { task, maxLength } = setup;
    const rows = { train: setup.train.digest(), evaluation: setup.evaluation.digest() };
    if (resumed) checkRows(resumed.record, rows, config, terminal);
    const engine = await startEngine(terminal, config.engine);
    noteTask(terminal, task);
    note(terminal, describeRecipe(recipe));
    const record = (steps: number): Omit<RunRecord, 'finished'> => ({
      ...{ version: 1, rows, maxLength, recipe: describeRecipe(recipe), seed, engine, steps },
      task: taskRecord(task),
      config: { ...absolutePaths(config), recipe: recipe.entry, seed },
    });
    const result = await run({
      ...{ setup, settings: config, recipe, seed, terminal, signal: interrupt.signal },
      ...{ resume: resumed?.snapshot, explain: flags.explain, onWarning: warnOnce(terminal) },
      onNote: (line) => {
        note(terminal, line);
      },
      ...(out !== undefined && {
        extendable: flags.checkpoint,
        onEpoch: async (model, at) => {
          await saveRun(out, model, { ...record(at.meta.step), finished: false }, at);
        },
        onTrained: async (model, { steps }, at) => {
          await saveRun(out, model, { ...record(steps), finished: true }, at);
        },
      }),
    });
    const { report, evaluation, model } = result;
    const finished = evaluation !== undefined;
    if (out !== undefined) {
      const full = { ...record(report.steps), finished, metrics: evaluation?.metrics };
      if (finished) await saveRecord(out, full);
      else await saveRun(out, model, full, result.snapshot);
    }
    model.dispose();
    const after = `after ${report.steps} steps in ${report.seconds.toFixed(1)} s`;
    if (evaluation) {
      print(terminal, `${metricsLine(evaluation)} on ${task.evaluation.length} rows ${after}`);
      if (evaluation.report) print(terminal, classTable(evaluation.report));
    } else print(terminal, `stopped ${after}, training loss ${report.lastLoss.toFixed(4)}`);
    if (out !== undefined) note(terminal, `saved in ${out}${finished ? '' : `; go on with --resume ${out}`}`);
    return finished ? 0 : 130;
  } finally {
    interrupt.release();
  }
}

function taskRecord({ name, task, metrics, train, classWeights }: TextTask): RunRecord['task'] {
  const kind = task.name as TaskName;
  const pair = train[0]?.pair !== undefined;
  return {
    ...{ name, kind, labels: task.labels ?? [], metrics, pair },
    ...(classWeights && { classWeights }),
  };
}

interface Plan {
  readonly config: Config;
  readonly resumed?: { readonly record: RunRecord; readonly snapshot: Snapshot };
  readonly out: string | undefined;
}

/** What may be told anew to a run that goes on: where it ends, and what does not change what it learns. */
const CHANGEABLE: readonly string[] = [
  'epochs',
  'steps',
  'metrics',
  'engine',
  'compile',
  'evaluationBatchSize',
];

/** What to run: a config file under the flags, or what a saved run was told. */
async function plan(command: Command, flags: TrainFlags): Promise<Plan> {
  const settings = settingsOf(command, OWN);
  const file = flags.config === undefined ? {} : await readConfig(flags.config);
  if (file.recipes ?? file.seeds)
    throw new HypetuneError(
      `${flags.config!}: 'recipes' and 'seeds' are for hypetune compare; train has 'recipe' and 'seed'.`,
    );
  const { resume } = flags;
  const given = checkConfig(
    { ...file, ...settings, ...(flags.seed !== undefined && { seed: flags.seed }) },
    '--seed',
  );
  if (resume === undefined) return { config: given, out: flags.out };
  const record = await readRun(resume);
  const now = absolutePaths(given);
  for (const name of Object.keys(now) as (keyof Config)[])
    if (!CHANGEABLE.includes(name) && name !== 'recipe' && name !== 'methods')
      checkSetting(flagName(name), now[name], name === 'seed' ? record.seed : record.config[name]);
  const { epochs, steps } = given;
  if (record.finished && epochs === undefined && steps === undefined)
    throw new HypetuneError(
      `--resume: the run in ${resume} came to its end after ${record.steps} updates; to go on, give more --epochs or --steps in all.`,
    );
  const snapshot = await readRunCheckpoint(resume);
  // Where the run ends is said by one of the two.
  const ends = epochs !== undefined && steps === undefined ? { steps: undefined } : {};
  const config = { ...record.config, ...given, ...ends, seed: record.seed };
  if (config.recipe === undefined)
    throw new HypetuneError(`--resume: code made a plugin of this run; give its --config again.`);
  return { config, resumed: { record, snapshot }, out: flags.out ?? resume };
}

/** Throws where a run that goes on is told something else than when it was begun. */
function checkSetting(name: string, now: unknown, then: unknown): void {
  if (JSON.stringify(now) === JSON.stringify(then)) return;
  const text = (value: unknown): string => (value === undefined ? 'its default' : JSON.stringify(value));
  throw new HypetuneError(
    `--resume: a run goes on as it was begun: ${name} was ${text(then)}, now ${text(now)}; leave it out. ` +
      `What may change: ${CHANGEABLE.map(flagName).join(', ')}.`,
  );
}

/** Throws where the methods of a run that goes on, or their options, are others than when it was begun. */
function checkRecipe(record: RunRecord, recipe: Recipe): void {
  const now = describeRecipe(recipe);
  if (record.recipe !== now)
    throw new HypetuneError(
      `--resume: a run goes on as it was begun: its recipe was '${record.recipe}', now '${now}'.`,
    );
}

/** Throws where the rows of a run that goes on are others than when it was begun. */
function checkRows(
  { rows: then }: RunRecord,
  now: RunRecord['rows'],
  config: Config,
  terminal: Terminal,
): void {
  for (const part of ['train', 'evaluation'] as const) {
    if (!then || then[part] === now![part]) continue;
    const source = config.train ?? config.task ?? '';
    const what = part === 'train' ? 'rows to learn from' : 'rows to measure on';
    const changed = `the ${what} (${source}), or the tokenizer that reads them, have changed since the run was begun`;
    if (part === 'evaluation' && config.keepBest === undefined) note(terminal, `warning: ${changed}`);
    else
      throw new HypetuneError(
        `--resume: ${changed}; restore them, or begin another run from its weights by --model.`,
      );
  }
}

function recipeOfConfig({ recipe }: Config, flags: TrainFlags, known: Methods): Recipe {
  const options = methodOptions(flags.option, known);
  const entry = flags.recipe ?? recipe ?? 'hype';
  const made =
    typeof entry === 'string' ? namedRecipe(entry, options, known) : recipeOf(entry, { known, single: true });
  if (typeof entry !== 'string' && flags.option.length > 0)
    throw new HypetuneError('--option: the config writes the recipe out; put the options there.');
  checkOptionsUsed(options, [made]);
  return made;
}
