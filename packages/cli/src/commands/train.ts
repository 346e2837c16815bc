import { type Evaluation, HypetuneError, type Snapshot, type TaskName } from '@hypetune/core';
import type { Command } from 'commander';
import { checkOutput } from '../atomic.js';
import { absolutePaths, checkConfig, type Config, readConfig } from '../config-file.js';
import { startEngine } from '../engine.js';
import { onInterrupt } from '../interrupt.js';
import { type CurveLog, openLogs } from '../log/curve-log.js';
import { type Methods, withMethods } from '../methods.js';
import {
  checkOptionsUsed,
  describeRecipe,
  methodOptions,
  namedRecipe,
  type Recipe,
  recipeOf,
} from '../recipes.js';
import {
  keepModel,
  type PredictedRow,
  readHistory,
  readRun,
  readRunCheckpoint,
  type RunRecord,
  saveRecord,
  saveRun,
} from '../run-folder.js';
import { classTable, metricsLine, noteTask } from '../report/figures.js';
import { run } from '../run.js';
import { flagName } from '../settings.js';
import { prepare } from '../setup.js';
import type { Row, TextTask } from '../tasks/task.js';
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
  readonly explain?: true;
}

const OWN = ['config', 'recipe', 'option', 'seed', 'out', 'force', 'resume', 'explain'];

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
    .option('--resume <folder>', 'go on with a run that was stopped')
    .option('--explain', 'print what the trainer will do, hook by hook');
  addSettingFlags(command).action(async () => {
    done(await train(command, terminal));
  });
}

async function train(command: Command, terminal: Terminal): Promise<number> {
  const flags = command.opts<TrainFlags>();
  const { config, snapshot, out } = await plan(command, flags);
  const recipe = recipeOfConfig(config, flags, await withMethods(config.methods ?? []));
  const { seed = 0 } = config;
  if (out !== undefined) await checkOutput(out, flags.force === true || out === flags.resume);
  for (const name of ['log', 'saveEvery', 'keepLast'] as const)
    if (config[name] !== undefined && out === undefined)
      throw new HypetuneError(`${flagName(name)}: give --out a folder; it is written there or beside it.`);
  const interrupt = onInterrupt(terminal);
  let log: CurveLog | undefined;
  try {
    const setup = await prepare(config, terminal, interrupt.signal);
    const { task, maxLength } = setup;
    const engine = await startEngine(terminal, config.engine);
    noteTask(terminal, task);
    note(terminal, describeRecipe(recipe));
    const record = (steps: number): Omit<RunRecord, 'finished'> => ({
      ...{ version: 1, maxLength, recipe: describeRecipe(recipe), seed, engine, steps },
      task: taskRecord(task),
      config: { ...absolutePaths(config), recipe: recipe.entry, seed },
    });
    const history = snapshot ? await readHistory(flags.resume!, snapshot.meta.step) : [];
    const { keepLast, log: formats } = config;
    log = formats && openLogs(formats, `${out!}.log`, history);
    if (log) note(terminal, `logs in ${out!}.log`);
    const result = await run({
      ...{ setup, settings: config, recipe, seed, terminal, signal: interrupt.signal },
      ...{ resume: snapshot, explain: flags.explain, onWarning: warnOnce(terminal) },
      ...(out !== undefined && {
        onCheckpoint: async (model, at) => {
          const { step } = at.meta;
          const unfinished = { ...record(step), finished: false };
          await saveRun(out, model, unfinished, history, at);
          if (keepLast !== undefined)
            await keepModel(`${out}.steps`, step, keepLast, (folder) =>
              saveRun(folder, model, unfinished, history),
            );
        },
        onTrained: async (model, { steps }) => {
          await saveRun(out, model, { ...record(steps), finished: true }, history);
        },
      }),
      onLine: (line) => {
        history.push(line);
        log?.line(line);
      },
    });
    const { report, evaluation, test, model } = result;
    const finished = evaluation !== undefined;
    if (out !== undefined) {
      const { best, stopped } = report;
      const measured = { metrics: evaluation?.metrics, testMetrics: test?.metrics, best, stopped };
      const full = { ...record(report.steps), finished, ...measured };
      const rows = test ? task.test! : task.evaluation;
      if (finished) await saveRecord(out, full, predictedRows(rows, test ?? evaluation));
      else await saveRun(out, model, full, history, result.snapshot);
    }
    model.dispose();
    const after = `after ${report.steps} steps in ${report.seconds.toFixed(1)} s`;
    if (evaluation) {
      print(terminal, `${metricsLine(evaluation)} on ${task.evaluation.length} rows ${after}`);
      if (test) print(terminal, `test: ${metricsLine(test)} on ${task.test!.length} rows`);
      const { report: classes } = test ?? evaluation;
      if (classes) print(terminal, classTable(classes));
    } else print(terminal, `stopped ${after}, training loss ${report.lastLoss.toFixed(4)}`);
    if (out !== undefined) note(terminal, `saved in ${out}${finished ? '' : `; go on with --resume ${out}`}`);
    return finished ? 0 : 130;
  } finally {
    log?.close();
    interrupt.release();
  }
}

function predictedRows(rows: readonly Row[], { predictions, losses }: Evaluation): PredictedRow[] {
  return rows.map(({ text, pair, label }, row) => ({
    ...{ text, pair, label, loss: losses[row]!, logits: [...predictions[row]!.logits] },
  }));
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
  readonly snapshot?: Snapshot;
  readonly out: string | undefined;
}

/** What to run: a config file under the flags, or what a stopped run was told. */
async function plan(command: Command, flags: TrainFlags): Promise<Plan> {
  const settings = settingsOf(command, OWN);
  const file = flags.config === undefined ? {} : await readConfig(flags.config);
  if (file.recipes ?? file.seeds)
    throw new HypetuneError(
      `${flags.config!}: 'recipes' and 'seeds' are for hypetune compare; train has 'recipe' and 'seed'.`,
    );
  if (file.grid ?? file.tasks)
    throw new HypetuneError(`${flags.config!}: 'grid' and 'tasks' are for hypetune compare.`);
  const { resume } = flags;
  const given = checkConfig(
    { ...file, ...settings, ...(flags.seed !== undefined && { seed: flags.seed }) },
    '--seed',
  );
  if (resume === undefined) return { config: given, out: flags.out };
  const others = Object.keys(settings).filter((name) => name !== 'engine' && name !== 'compile');
  if (others.length > 0 || flags.recipe !== undefined || flags.seed !== undefined)
    throw new HypetuneError(
      '--resume: a run goes on as it was begun; leave the settings, the recipe and the seed out.',
    );
  const record = await readRun(resume);
  const snapshot = await readRunCheckpoint(resume);
  const config = { ...record.config, ...given, seed: record.seed };
  if (config.recipe === undefined)
    throw new HypetuneError(`--resume: code made a plugin of this run; give its --config again.`);
  return { config, snapshot, out: flags.out ?? resume };
}

function recipeOfConfig({ recipe }: Config, flags: TrainFlags, known: Methods): Recipe {
  const options = methodOptions(flags.option, known);
  const entry = flags.recipe ?? recipe ?? 'hype';
  const made =
    typeof entry === 'string' ? namedRecipe(entry, options, known) : recipeOf(entry, { known, single: true });
  if (typeof entry !== 'string' && flags.option.length > 0)
    throw new HypetuneError('--option: the config writes the recipe out; put the options there.');
  if (made.entry?.grid) throw new HypetuneError(`recipe '${made.name}': 'grid' is for hypetune compare.`);
  checkOptionsUsed(options, [made]);
  return made;
}
