import { HypetuneError } from '@hypetune/core';
import type { Command } from 'commander';
import { answerClaim, claimText, type ClaimAnswer } from '../claim.js';
import { checkAsked, keepMeasuredRows, planOf, prepareTasks, wantedRuns } from '../comparison-runs.js';
import { type Claim, type Config, readConfig, withFlags } from '../config-file.js';
import { engineOf } from '../engine.js';
import { isOfRows } from '../grid.js';
import { Interrupted, onInterrupt } from '../interrupt.js';
import { metricName, type Methods, openModules, withMetrics } from '../methods.js';
import { describeRecipe, namedRecipe, type Recipe, recipeOf } from '../recipes.js';
import { performer } from '../queue/perform-on-queue.js';
import { cellsOf } from '../store/plan.js';
import { Store } from '../store/store.js';
import { note, print, printResult, type Terminal, warnOnce } from '../terminal.js';
import {
  addQueueFlags,
  addSettingFlags,
  jsonFlag,
  type QueueFlags,
  queueOf,
  settingsOf,
  storeFlag,
} from './flags.js';

/** Exit codes: the answer; a mistake in the claim or the data is none. */
const CODES = { yes: 0, no: 1, 'not yet': 2 } as const;
const MISTAKE = 3;
/** The share of equal pairs that is worth a word. */
const MANY = 0.25;

export function addVerify(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program
    .command('verify')
    .description(
      'do the runs that tell whether a claim holds: exits 0 for yes, 1 for no, 2 for not yet, 3 for a mistake',
    )
    .argument('<claim>', 'a config file with a claim: better, than, by')
    .addOption(storeFlag('keep every run here, and do only those that are missing'))
    .addOption(jsonFlag());
  addQueueFlags(command, 'leave the runs to workers on a Redis');
  addSettingFlags(command).action(async (file: string, flags: VerifyFlags) => {
    try {
      done(await verify(file, flags, command, terminal));
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      note(terminal, `error: ${(error as Error).message.replace(/\s*\n\s*/g, ' ')}`);
      done(MISTAKE);
    }
  });
}

interface VerifyFlags extends QueueFlags {
  readonly store: string;
  readonly json?: true;
}

async function verify(
  file: string,
  flags: VerifyFlags,
  command: Command,
  terminal: Terminal,
): Promise<number> {
  const own = ['store', 'queue', 'queueName', 'json'];
  const config = withFlags(await readConfig(file), settingsOf(command, own));
  const queue = queueOf(flags);
  const { claim } = config;
  if (!claim)
    throw new HypetuneError(`${file}: it claims nothing; write claim: { better: ..., than: ..., by: ... }.`);
  if (config.recipe ?? config.seed)
    throw new HypetuneError(`${file}: 'recipe' and 'seed' are for hypetune train; a claim has its own.`);
  const axis = Object.keys(config.grid ?? {}).find((name) => !isOfRows(name));
  if (axis !== undefined)
    throw new HypetuneError(
      `${file}: grid: '${axis}' makes several recipes of one, for hypetune compare; a claim is of two.`,
    );
  const modules = await openModules(config.methods);
  const recipes = recipesOf(claim, config, modules.methods);
  const measured = withMetrics(config, modules);
  await checkAsked(measured, recipes);
  const interrupt = onInterrupt(terminal);
  try {
    const store = await Store.open(flags.store);
    const engine = await engineOf(config, queue !== undefined, terminal);
    const tasks = await prepareTasks(measured, terminal, interrupt.signal);
    const compared = tasks.map(({ name, setup }) => ({
      name,
      metric: metricOf(claim, setup.task.metrics.map(metricName), name),
    }));
    for (const recipe of recipes) note(terminal, describeRecipe(recipe));
    await keepMeasuredRows(store, tasks);
    const options = {
      ...{ terminal, signal: interrupt.signal, onWarning: warnOnce(terminal) },
      ...{ wait: true, retryFailed: false },
    };
    const seeds = seedsOf(claim, config);
    const all = await wantedRuns({ tasks, recipes, seeds, engine, config, file });
    let found: ClaimAnswer | undefined;
    let trouble = false;
    for (const [place, seed] of seeds.entries()) {
      const wanted = all.filter((run) => run.seed <= seed);
      const now = wanted.filter((run) => run.seed === seed);
      const plan = planOf(command, { tasks, recipes, seeds: seeds.slice(0, place + 1), wanted });
      // Before its runs: `watch` knows of them, and `report` finds them where this process is killed.
      await store.keepPlan(plan);
      const { troubles } = await performer(queue)(store, now, options);
      found = answerClaim(claim, compared, plan, await cellsOf(store, plan));
      trouble ||= troubles.length > 0;
      if (found.answer !== 'not yet' || interrupt.signal.aborted) break;
    }
    printResult(terminal, flags.json, { claim, ...found }, () => {
      print(terminal, answerText(claim, found!));
    });
    if (trouble) note(terminal, 'some runs were not done; once more may help');
    return found!.answer === 'not yet' && interrupt.signal.aborted ? 130 : CODES[found!.answer];
  } finally {
    interrupt.release();
  }
}

/** The seeds of the config's list in ascending order, as pairs are looked at, else those from 1; as many as the claim's budget at most. */
function seedsOf({ seeds: budget }: Claim, { seeds }: Config): readonly number[] {
  const named = typeof seeds === 'object' ? [...new Set(seeds)].sort((one, other) => one - other) : undefined;
  return named?.slice(0, budget) ?? Array.from({ length: budget }, (_, place) => place + 1);
}

function metricOf({ metric }: Claim, metrics: readonly string[], task: string): string {
  const found = metric ?? metrics[0]!;
  if (found === 'loss' || metrics.includes(found)) return found;
  throw new HypetuneError(
    `claim: ${task} measures ${metrics.join(', ')}, not '${found}'; name it in metrics.`,
  );
}

/** The recipe compared with, then the one that is said to be better. */
function recipesOf({ better, than }: Claim, { recipes = [] }: Config, known: Methods): Recipe[] {
  if (better === than) throw new HypetuneError(`claim: '${better}' cannot be better than itself.`);
  return [than, better].map((name) => {
    const entry = recipes.find((recipe) => typeof recipe === 'object' && recipe.name === name);
    if (typeof entry !== 'object') return namedRecipe(name, {}, known);
    if (!entry.grid) return recipeOf(entry, { known });
    throw new HypetuneError(`recipe '${name}': 'grid' is for hypetune compare; a claim is of two recipes.`);
  });
}

/** The answer in a line, and a line for each task. */
export function answerText(claim: Claim, { answer, tasks }: ClaimAnswer): string {
  const lines = tasks.map(({ task, metric, answer: own, pairs, evidence, failed, equal }) => {
    const left =
      failed.length > 0 ? `; seeds ${failed.join(', ')} failed or have no number and are left out` : '';
    const ties =
      equal >= 2 && equal >= pairs * MANY
        ? `; ${equal} of the pairs are exactly equal: differences are far from normal, as the evidence takes them to be`
        : '';
    return `${task}, ${metric}: ${own} after ${pairs} pairs; evidence ${evidence.yes.toPrecision(3)} for, ${evidence.no.toPrecision(3)} against, of ${(1 / claim.alpha).toFixed(0)} wanted${left}${ties}`;
  });
  return [`${answer}: ${claimText(claim)}`, ...lines].join('\n');
}
