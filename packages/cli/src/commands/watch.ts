import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HypetuneError } from '@hypetune/core';
import type { Command } from 'commander';
import { table } from '../report/table.js';
import { cellsOf, type ComparisonPlan, joinPlans } from '../store/plan.js';
import { Store } from '../store/store.js';
import { print, type Terminal } from '../terminal.js';
import { numberFlag } from './flags.js';

export function addWatch(program: Command, terminal: Terminal): void {
  program
    .command('watch')
    .description('how far the comparisons of a store are, until every run is done')
    .argument('<store>', 'a folder that compare --store fills')
    .option('--once', 'print it once and end')
    .option('--every <seconds>', 'seconds between two looks', numberFlag, 5)
    .option('--json', 'print each state as a line of JSON')
    .action(async (folder: string, { once, every, json }: WatchFlags) => {
      const store = Store.existing(folder);
      let before = '';
      for (;;) {
        const { recipes, left } = await state(store);
        const text = json ? JSON.stringify({ left, recipes }) : stateTable(recipes);
        // On a terminal the table stands still and its numbers change.
        const still = terminal.out.isTTY && !json;
        if (still && before !== '') terminal.out.write(`\u001b[${before.split('\n').length}A\u001b[J`);
        if (still || text !== before) print(terminal, text);
        before = text;
        if (once || left === 0) return;
        await new Promise((resolve) => setTimeout(resolve, every * 1000));
      }
    });
}

interface WatchFlags {
  readonly once?: true;
  readonly every: number;
  readonly json?: true;
}

/** Runs of a recipe on a task, counted by what became of them. */
interface RecipeState {
  readonly recipe: string;
  readonly task: string;
  readonly done: number;
  readonly failed: number;
  readonly running: number;
  readonly waiting: number;
  readonly metric: string;
  /** Undefined before the first run is done. */
  readonly mean?: number | undefined;
}

/** Every recipe and task, and how many runs are left. */
async function state(store: Store): Promise<{ recipes: RecipeState[]; left: number }> {
  const plans = await store.plans<ComparisonPlan>();
  if (plans.length === 0)
    throw new HypetuneError(`${store.folder}: no comparison was begun with this store.`);
  const plan = joinPlans(plans);
  const cells = await cellsOf(store, plan);
  const locked = new Set(await readdir(join(store.folder, 'locks')).catch(() => []));
  const recipes = plan.tasks.flatMap(({ name, metrics: [metric] }) =>
    plan.recipes.map((recipe): RecipeState => {
      const own = cells.filter((cell) => cell.recipe === recipe.name && cell.task === name);
      const count = (is: (cell: (typeof own)[number]) => boolean): number => own.filter(is).length;
      const values = own.flatMap(({ metrics }) => metrics?.[metric!] ?? []);
      const sum = values.reduce((total, value) => total + value, 0);
      return {
        ...{ recipe: recipe.name, task: name },
        done: count(({ run }) => run?.record.status === 'finished'),
        failed: count(({ run }) => run?.record.status === 'failed'),
        running: count(({ run, key }) => run === undefined && locked.has(key)),
        waiting: count(({ run, key }) => run === undefined && !locked.has(key)),
        metric: metric!,
        mean: values.length > 0 ? sum / values.length : undefined,
      };
    }),
  );
  return { recipes, left: cells.filter(({ run }) => run === undefined).length };
}

function stateTable(recipes: readonly RecipeState[]): string {
  const rows = recipes.map(({ recipe, task, metric, mean, ...counts }) => [
    ...[recipe, task, ...[counts.done, counts.failed, counts.running, counts.waiting].map(String)],
    mean === undefined ? '-' : `${metric} ${mean.toFixed(4)}`,
  ]);
  return table(['recipe', 'task', 'done', 'failed', 'running', 'waiting', 'mean'], rows);
}
