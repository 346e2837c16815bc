import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Dataset, type Evaluation, HypetuneError, type Snapshot } from '@hypetune/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Command } from 'commander';
import { checkApart, checkHoldsNone, checkOutput } from '../atomic.js';
import { absolutePaths, checkConfig, type Config, readConfig, withFlags } from '../config-file.js';
import { showDownloads } from '../download.js';
import { startEngine } from '../engine.js';
import { exportModel } from '../export/export-model.js';
import { onInterrupt } from '../interrupt.js';
import { checkLogs, type CurveLog, endMetrics, openLogs, paramsOf, type RunEnd } from '../log/curve-log.js';
import { type Methods, openModules, withMetrics } from '../methods.js';
import {
  checkOptionsUsed,
  describeRecipe,
  methodOptions,
  namedRecipe,
  type Recipe,
  recipeOf,
} from '../recipes.js';
import { disposeModels, openModels } from '../recipe-models.js';
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
import { recordOf } from '../run-record.js';
import { classTable, metricsLine, noteTask } from '../report/figures.js';
import { run } from '../run.js';
import {
  flagName,
  flags as flagsOf,
  type Settings,
  settings as declared,
  settingsWith,
} from '../settings.js';
import { checkModel, checkOneSource, checkSettings, prepare } from '../setup.js';
import { dataOf } from '../tasks/data-record.js';
import type { Row } from '../tasks/task.js';
import { shellWord } from '../shell-word.js';
import { note, print, type Terminal, warnOnce } from '../terminal.js';
import { addSettingFlags, jsonFlag, numberFlag, repeatedFlag, settingsOf } from './flags.js';

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
  readonly json?: true;
  readonly export?: string;
}

const OWN = [
  ...[
    'config',
    'recipe',
    'option',
    'seed',
    'out',
    'force',
    'export',
    'resume',
    'checkpoint',
    'explain',
    'json',
  ],
];

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
    .option('--export <folder>', 'write the tuned model here for other programs, as hypetune export does')
    .option('--force', 'replace what is in --out, what --keep-last kept beside it, and what is in --export')
    .option(
      '--resume <folder>',
      'go on with a run that was stopped; with more --epochs or --steps, also with a finished one',
    )
    .option('--no-checkpoint', 'save the tuned model alone: a quarter of the size, but no way to resume')
    .option('--explain', 'print what the trainer will do, hook by hook')
    .addOption(jsonFlag());
  command.addHelpText('after', EXAMPLES);
  addSettingFlags(command).action(async () => {
    done(await train(command, terminal));
  });
}

async function train(command: Command, terminal: Terminal): Promise<number> {
  const flags = command.opts<TrainFlags>();
  const { planned, told: given, resumed, out } = await plan(command, flags);
  const modules = await openModules(planned.methods);
  const config = withFlagsOverRecipe(planned, given);
  const recipe = recipeOfConfig(config, flags, modules.methods);
  if (resumed) checkRecipe(resumed.record, [recipeOfConfig(planned, flags, modules.methods), recipe]);
  const settings = withMetrics(config, modules);
  const { seed = 0 } = config;
  if (out !== undefined && flags.export !== undefined) await checkApart(flags.export, '--export', out);
  const { keepLast, log: formats } = config;
  const goesOn = out !== undefined && flags.resume !== undefined && resolve(out) === resolve(flags.resume);
  const isReplacing = flags.force === true || goesOn;
  const kept = `${out!}.steps`;
  if (out !== undefined) await checkOutput(out, isReplacing, goesOn ? '--resume' : '--out');
  if (out !== undefined && keepLast !== undefined) await checkOutput(kept, isReplacing, '--keep-last');
  if (flags.export !== undefined) await checkOutput(flags.export, flags.force === true, '--export');
  const { train: rows, validation, test: testRows, data, model: begun, methods = [] } = config;
  const read = [flags.config, rows, validation, testRows, data, ...methods, ...recipe.models];
  if (out !== undefined)
    await checkHoldsNone(out, '--out', [...read, goesOn ? undefined : flags.resume], begun);
  if (out !== undefined && keepLast !== undefined)
    await checkHoldsNone(kept, '--keep-last', [...read, flags.resume, begun]);
  if (flags.export !== undefined)
    await checkHoldsNone(flags.export, '--export', [...read, flags.resume], begun);
  for (const name of ['log', 'saveEvery', 'keepLast'] as const)
    if (config[name] !== undefined && out === undefined)
      throw new HypetuneError(`${flagName(name)}: give --out a folder; it is written there or beside it.`);
  checkLogs(formats, `${out!}.log`);
  await checkSettings(settings);
  for (const name of recipe.models) await checkModel(name);
  const interrupt = onInterrupt(terminal);
  let log: CurveLog | undefined;
  let end: RunEnd = { status: 'failed', step: 0, metrics: {} };
  try {
    const engine = await startEngine(terminal, config.engine);
    const setup = await prepare(settings, terminal, interrupt.signal);
    const { task } = setup;
    if (resumed) checkRows(resumed.record, dataOf(task), config, terminal);
    noteTask(terminal, task);
    note(terminal, describeRecipe(recipe));
    if ((out ?? flags.export) === undefined)
      note(terminal, 'the tuned model is not saved at the end: give --out a folder to keep it');
    const models = await openModels(recipe.models, setup, showDownloads(terminal, interrupt.signal));
    const told = recordOf({ setup, config, recipe, seed, engine });
    const record = (steps: number): Omit<RunRecord, 'finished'> => ({ ...told, steps });
    const history = resumed ? await readHistory(flags.resume!, resumed.snapshot.meta.step) : [];
    // Whether what is in the folder is this run, not one that it replaces.
    let isOurs = goesOn;
    const save = async (model: LayersModel, saved: RunRecord, at: Snapshot | undefined): Promise<void> => {
      await saveRun(out!, model, saved, history, at, { keepsOthers: isOurs });
      // The models of the run that it replaces go with that run, no sooner.
      if (!isOurs && keepLast !== undefined) await rm(kept, { recursive: true, force: true });
      isOurs = true;
    };
    const logged = {
      name: `${task.name} ${recipe.name} seed ${seed}`,
      params: paramsOf({ ...config, seed, recipe: describeRecipe(recipe), engine }),
      onWarning: warnOnce(terminal),
    };
    log = formats && openLogs(formats, `${out!}.log`, logged, history);
    if (log) note(terminal, `logs in ${out!}.log`);
    const result = await run({
      ...{ setup, settings, recipe, seed, terminal, signal: interrupt.signal },
      ...{ models, resume: resumed?.snapshot, explain: flags.explain, onWarning: warnOnce(terminal) },
      onNote: (line) => {
        note(terminal, line);
      },
      intervals: (out ?? flags.export) !== undefined,
      ...(out !== undefined && {
        extendable: flags.checkpoint,
        onCheckpoint: async (model, at) => {
          const { step } = at.meta;
          const unfinished = { ...record(step), finished: false };
          await save(model, unfinished, at);
          if (keepLast !== undefined)
            await keepModel(kept, step, keepLast, (folder) => saveRun(folder, model, unfinished, history));
        },
      }),
      onTrained: async (model, { steps }, at) => {
        if (out !== undefined) await save(model, { ...record(steps), finished: true }, at);
        interrupt.say('training is over; what is left is measured and written first');
      },
      onLine: (line) => {
        history.push(line);
        log?.line(line);
      },
    });
    disposeModels(models);
    const { report, evaluation, test, training, similarity, intervals, model } = result;
    const finished = evaluation !== undefined;
    end = {
      ...{ status: finished ? 'finished' : 'stopped', step: report.steps },
      metrics: { ...endMetrics('validation', evaluation), ...endMetrics('test', test) },
    };
    const { best, stopped } = report;
    const measured = { metrics: evaluation?.metrics, testMetrics: test?.metrics, intervals, best, stopped };
    const full = { ...record(report.steps), finished, ...measured };
    if (out !== undefined) {
      const [rows, data] = test ? [task.test!, setup.test!] : [task.evaluation, setup.evaluation];
      if (finished) await saveRecord(out, full, predictedRows(rows, data, test ?? evaluation));
      else await save(model, full, result.snapshot);
    }
    if (flags.export !== undefined && finished)
      await exportModel(flags.export, {
        ...{ model, tokenizer: setup.folder, maxLength: setup.maxLength, record: full },
      });
    model.dispose();
    const summary = {
      ...report,
      ...figuresOf(evaluation),
      ...(test && { test: figuresOf(test) }),
      ...(training && { training: figuresOf(training) }),
      ...(similarity && { similarity }),
      finished,
      out,
    };
    const after = `after ${report.steps} steps in ${report.seconds.toFixed(1)} s`;
    if (flags.json) print(terminal, JSON.stringify(summary, null, 2));
    else if (evaluation) {
      print(terminal, `${metricsLine(evaluation)} on ${task.evaluation.length} rows ${after}`);
      if (test) print(terminal, `test: ${metricsLine(test)} on ${task.test!.length} rows`);
      if (training)
        print(terminal, `rows learned from: ${metricsLine(training)} on ${task.train.length} rows`);
      if (similarity)
        print(
          terminal,
          `token similarity by layer: ${similarity.map((value) => value.toFixed(4)).join(' ')}`,
        );
      const { report: classes } = test ?? evaluation;
      if (classes) print(terminal, classTable(classes));
    } else {
      const loss = Number.isNaN(report.lastLoss) ? '' : `, training loss ${report.lastLoss.toFixed(4)}`;
      print(terminal, `stopped ${after}${loss}`);
    }
    if (flags.export !== undefined && finished) note(terminal, `exported to ${flags.export}`);
    if (out !== undefined)
      note(terminal, `saved in ${out}${finished ? '' : `; go on with --resume ${shellWord(out)}`}`);
    else if (!finished) note(terminal, 'nothing was saved: only --out keeps a run that is stopped');
    return finished ? 0 : 130;
  } finally {
    await log?.close(end);
    interrupt.release();
  }
}

function figuresOf(
  evaluation: Evaluation | undefined,
): Partial<Pick<Evaluation, 'loss' | 'metrics' | 'report'>> {
  if (!evaluation) return {};
  const { loss, metrics, report } = evaluation;
  return { loss, metrics, report };
}

function predictedRows(
  rows: readonly Row[],
  data: Pick<Dataset, 'label'>,
  { predictions, losses }: Evaluation,
): PredictedRow[] {
  return rows.map(({ text, pair }, row) => ({
    ...{ text, pair, label: data.label(row), loss: losses[row]!, logits: [...predictions[row]!.logits] },
  }));
}

interface Plan {
  readonly planned: Config;
  /** What flags say of it. */
  readonly told: Settings;
  readonly resumed?: { readonly record: RunRecord; readonly snapshot: Snapshot };
  readonly out: string | undefined;
}

/** What may be told anew to a run that goes on: where it ends, and what does not change what it learns. */
const CHANGEABLE: readonly string[] = [
  ...['epochs', 'steps', 'metrics', 'engine', 'compile', 'evaluationBatchSize'],
  ...Object.entries(declared).flatMap(([name, setting]) =>
    flagsOf.get(setting)?.outcome === false ? [name] : [],
  ),
];

/** What to run: a config file under the flags, or what a saved run was told. */
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
    { ...withFlags(file, settings), ...(flags.seed !== undefined && { seed: flags.seed }) },
    '--seed',
  );
  const out = withoutSlash(flags.out ?? resume);
  if (resume === undefined) {
    checkOneSource(given);
    return { planned: given, told: settings, out };
  }
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
  checkGoesOn(snapshot, given);
  const planned = { ...settingsWith(record.config, given), seed: record.seed };
  if (planned.recipe === undefined)
    throw new HypetuneError(`--resume: code made a plugin of this run; give its --config again.`);
  return { planned, told: settings, resumed: { record, snapshot }, out };
}

/** A folder's name to which endings can be added for what lies beside it. */
const withoutSlash = (folder: string | undefined): string | undefined => folder?.replace(/(?<=.)[\\/]+$/, '');

/** Throws where a run that goes on would make no update; the trainer does as well, when everything has been read. */
function checkGoesOn({ meta: { step, stepsPerEpoch, open } }: Snapshot, { epochs, steps }: Settings): void {
  const asked = steps ?? (stepsPerEpoch === undefined ? undefined : epochs && epochs * stepsPerEpoch);
  if (asked === undefined || asked > step || (asked === step && open)) return;
  const what = steps === undefined ? `--epochs ${epochs!} are ${asked}` : `--steps is ${asked}`;
  throw new HypetuneError(`--resume: the run has made ${step} updates, and ${what} in all; give more.`);
}

/** The config without what its recipe sets and flags say otherwise: they win over the whole file. */
function withFlagsOverRecipe(config: Config, told: Settings): Config {
  const { recipe } = config;
  if (typeof recipe !== 'object' || !recipe.settings) return config;
  const over: Settings = { ...(told.steps !== undefined && { epochs: undefined }), ...told };
  const kept = Object.entries(settingsWith(recipe.settings, over)).filter(([name]) => !(name in over));
  return { ...config, recipe: { ...recipe, settings: Object.fromEntries(kept) } };
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
function checkRecipe(record: RunRecord, recipes: readonly Recipe[]): void {
  const now = recipes.map(describeRecipe);
  if (!now.includes(record.recipe))
    throw new HypetuneError(
      `--resume: a run goes on as it was begun: its recipe was '${record.recipe}', now '${now.at(-1)!}'.`,
    );
}

/** Throws where the rows of a run that goes on are others than when it was begun. */
function checkRows(
  { data: then }: RunRecord,
  now: NonNullable<RunRecord['data']>,
  config: Config,
  terminal: Terminal,
): void {
  for (const part of ['train', 'evaluation'] as const) {
    if (!then || then[part].sha256 === now[part].sha256) continue;
    const source = config.train ?? config.task ?? '';
    const what = part === 'train' ? 'rows to learn from' : 'rows to measure on';
    const changed = `the ${what} (${source}) have changed since the run was begun`;
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
  if (made.entry?.grid) throw new HypetuneError(`recipe '${made.name}': 'grid' is for hypetune compare.`);
  checkOptionsUsed(options, [made]);
  return made;
}
