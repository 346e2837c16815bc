import { HypetuneError } from '@hypetune/core';
import type { Command } from 'commander';
import { writeWhole } from '../atomic.js';
import { type Config, readConfig } from '../config-file.js';
import { showDownloads } from '../download.js';
import { startEngine } from '../engine.js';
import { onInterrupt } from '../interrupt.js';
import { metricName, type Methods, openModules, withMetrics } from '../methods.js';
import {
  checkOptionsUsed,
  describeRecipe,
  methodOptions,
  namedRecipe,
  type Recipe,
  recipeOf,
} from '../recipes.js';
import { disposeModels, openModels } from '../recipe-models.js';
import { type ComparedRun, compareRecipes, comparisonReport } from '../report/comparison.js';
import { noteTask } from '../report/figures.js';
import { run } from '../run.js';
import { DEFAULT_MODEL, prepare } from '../setup.js';
import { note, print, type Terminal, warnOnce } from '../terminal.js';
import { addSettingFlags, listFlag, repeatedFlag, settingsOf } from './flags.js';

interface CompareFlags {
  readonly config?: string;
  readonly recipes?: readonly string[];
  readonly option: readonly string[];
  readonly seeds?: string;
  readonly json?: string;
}

const OWN = ['config', 'recipes', 'option', 'seeds', 'json'];
const RECIPES = ['vanilla', 'nodrop', 'hype', 'hype+r3f'];

export function addCompare(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program
    .command('compare')
    .description('fine-tune by several recipes, each with several seeds, and compare them')
    .option('--config <file>', 'settings and recipes from a .yaml, .json or .ts file; flags win over it')
    .option(
      '--recipes <stacks>',
      `recipes, the first is what the others are compared with (default: ${RECIPES.join(',')})`,
      listFlag,
    )
    .option(
      '--option <method.option=value>',
      'an option of a method in every recipe that has it',
      repeatedFlag,
      [],
    )
    .option('--seeds <seeds>', 'how many, from 1, or a list as 3,5,8 (default: 3)')
    .option('--json <file>', 'write settings, every run and the comparison here; - prints them alone');
  addSettingFlags(command).action(async () => {
    done(await compare(command, terminal));
  });
}

async function compare(command: Command, terminal: Terminal): Promise<number> {
  const flags = command.opts<CompareFlags>();
  const settings = settingsOf(command, OWN);
  const file = flags.config === undefined ? {} : await readConfig(flags.config);
  if (file.recipe ?? file.seed)
    throw new HypetuneError(
      `${flags.config!}: 'recipe' and 'seed' are for hypetune train; compare has 'recipes' and 'seeds'.`,
    );
  const config: Config = { ...file, ...settings };
  const modules = await openModules(config.methods);
  const recipes = recipesOf(config, flags, modules.methods);
  const measured = withMetrics(config, modules);
  const seeds = seedsOf(flags.seeds, config.seeds);
  const interrupt = onInterrupt(terminal);
  try {
    const setup = await prepare(measured, terminal, interrupt.signal);
    const { task } = setup;
    const engine = await startEngine(terminal, config.engine);
    noteTask(terminal, task);
    for (const recipe of recipes) note(terminal, describeRecipe(recipe));
    const named = recipes.flatMap(({ models }) => models);
    const models = await openModels(named, setup, showDownloads(terminal, interrupt.signal));
    const runs: ComparedRun[] = [];
    const onWarning = warnOnce(terminal);
    // Seed by seed, so that an interrupted comparison has whole pairs.
    for (const seed of seeds)
      for (const recipe of recipes) {
        if (interrupt.signal.aborted) continue;
        const { report, evaluation, model } = await run({
          ...{
            setup,
            settings: measured,
            recipe,
            seed,
            terminal,
            models,
            signal: interrupt.signal,
            onWarning,
          },
        });
        model.dispose();
        if (!evaluation) continue;
        const { loss, metrics } = evaluation;
        const { steps, seconds, epochs, lastLoss } = report;
        const trainLoss = epochs.at(-1)?.loss ?? lastLoss;
        runs.push({ recipe: recipe.name, seed, metrics, loss, trainLoss, steps, seconds });
      }
    disposeModels(models);
    const metrics = task.metrics.map(metricName);
    const [metric] = metrics as [string];
    const written = JSON.stringify(
      {
        ...{ version: 1, task: task.name, model: config.model ?? DEFAULT_MODEL, engine, metric },
        ...{
          trainRows: task.train.length,
          evaluationRows: task.evaluation.length,
          settings: { ...config, recipes: undefined },
        },
        complete: !interrupt.signal.aborted,
        recipes: recipes.map(({ name, entry }) => ({ name, ...entry })),
        runs,
        comparison: runs.length > 0 ? compareRecipes(runs, metric) : [],
      },
      null,
      2,
    );
    if (flags.json === '-') print(terminal, written);
    else if (runs.length > 0) print(terminal, comparisonReport(runs, metrics));
    if (flags.json !== undefined && flags.json !== '-') await writeWhole(flags.json, `${written}\n`);
    return interrupt.signal.aborted ? 130 : 0;
  } finally {
    interrupt.release();
  }
}

function recipesOf(config: Config, flags: CompareFlags, known: Methods): Recipe[] {
  const options = methodOptions(flags.option, known);
  const entries = flags.recipes ?? config.recipes ?? RECIPES;
  const recipes = entries.map((entry) =>
    typeof entry === 'string' ? namedRecipe(entry, options, known) : recipeOf(entry, { known }),
  );
  const names = recipes.map(({ name }) => name);
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined)
    throw new HypetuneError(`--recipes: '${twice}' stands there twice; give each a name of its own.`);
  checkOptionsUsed(options, recipes);
  return recipes;
}

function seedsOf(
  flag: string | undefined,
  config: number | readonly number[] | undefined,
): readonly number[] {
  const texts = flag?.split(',');
  const numbers = texts?.map((text) => (/^\s*\d+\s*$/.test(text) ? Number(text) : NaN));
  const seeds = numbers?.length === 1 ? numbers[0]! : (numbers ?? config ?? 3);
  const list =
    typeof seeds === 'number' ? Array.from({ length: seeds || 0 }, (_, place) => place + 1) : seeds;
  if (list.length > 0 && list.every(Number.isSafeInteger) && new Set(list).size === list.length) return list;
  throw new HypetuneError(
    `--seeds: must be a number of seeds or different seeds as 3,5,8, got '${flag ?? String(config)}'.`,
  );
}
