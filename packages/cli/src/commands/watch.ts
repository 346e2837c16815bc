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
    .action(async (folder: string, { once, every }: { readonly once?: true; readonly every: number }) => {
      const store = Store.existing(folder);
      let before = '';
      for (;;) {
        const { text, left } = await state(store);
        // On a terminal the table stands still and its numbers change.
        if (terminal.out.isTTY && before !== '')
          terminal.out.write(`\u001b[${before.split('\n').length}A\u001b[J`);
        if (terminal.out.isTTY || text !== before) print(terminal, text);
        before = text;
        if (once || left === 0) return;
        await new Promise((resolve) => setTimeout(resolve, every * 1000));
      }
    });
}

/** A line for each recipe and task, and how many runs are left. */
async function state(store: Store): Promise<{ text: string; left: number }> {
  const plans = await store.plans<ComparisonPlan>();
  if (plans.length === 0)
    throw new HypetuneError(`${store.folder}: no comparison was begun with this store.`);
  const plan = joinPlans(plans);
  const cells = await cellsOf(store, plan);
  const locked = new Set(await readdir(join(store.folder, 'locks')).catch(() => []));
  const rows = plan.tasks.flatMap(({ name, metrics: [metric] }) =>
    plan.recipes.map((recipe) => {
      const own = cells.filter((cell) => cell.recipe === recipe.name && cell.task === name);
      const count = (is: (cell: (typeof own)[number]) => boolean): string => String(own.filter(is).length);
      const values = own.flatMap(({ metrics }) => metrics?.[metric!] ?? []);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return [
        ...[recipe.name, name, count(({ run }) => run?.record.status === 'finished')],
        count(({ run }) => run?.record.status === 'failed'),
        count(({ run, key }) => run === undefined && locked.has(key)),
        count(({ run, key }) => run === undefined && !locked.has(key)),
        values.length > 0 ? `${metric!} ${mean.toFixed(4)}` : '-',
      ];
    }),
  );
  const left = cells.filter(({ run }) => run === undefined).length;
  return { text: table(['recipe', 'task', 'done', 'failed', 'running', 'waiting', 'mean'], rows), left };
}
