import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HypetuneError } from '@hypetune/core';
import type { Command } from 'commander';
import { connectionOf, countOf, noteOutages, openBull, type QueueAddress } from '../queue/connection.js';
import type { RunQueue } from '../queue/perform-on-queue.js';
import { type QueueState, queueState } from '../queue/queue-state.js';
import { table } from '../report/table.js';
import { cellsOf, type ComparisonPlan, joinPlans } from '../store/plan.js';
import { Store } from '../store/store.js';
import { print, type Terminal } from '../terminal.js';
import { addQueueFlags, numberFlag, type QueueFlags, queueOf } from './flags.js';

interface WatchFlags extends QueueFlags {
  readonly once?: true;
  readonly every: number;
}

export function addWatch(program: Command, terminal: Terminal): void {
  const command = program
    .command('watch')
    .description('how far the comparisons of a store and the runs on a queue are, until every run is done')
    .argument('[store]', 'a folder that compare --store fills')
    .option('--once', 'print it once and end')
    .option('--every <seconds>', 'seconds between two looks', numberFlag, 5);
  addQueueFlags(command, 'a Redis that workers take runs from').action(
    async (folder: string | undefined, flags: WatchFlags) => {
      const { once, every } = flags;
      const address = queueOf(flags);
      if (folder === undefined && !address)
        throw new HypetuneError('watch: name a store of runs, a --queue, or both.');
      const store = folder === undefined ? undefined : Store.existing(folder);
      const queue = address && (await openQueue(address, terminal));
      let before = '';
      try {
        for (;;) {
          const { text, left } = await look(store, queue);
          // On a terminal the tables stand still and their numbers change.
          if (terminal.out.isTTY && before !== '')
            terminal.out.write(`\u001b[${before.split('\n').length}A\u001b[J`);
          if (terminal.out.isTTY || text !== before) print(terminal, text);
          before = text;
          if (once || left === 0) return;
          await new Promise((resolve) => setTimeout(resolve, every * 1000));
        }
      } finally {
        await queue?.close();
      }
    },
  );
}

async function openQueue(address: QueueAddress, terminal: Terminal): Promise<RunQueue> {
  const { Queue } = await openBull(address);
  const queue: RunQueue = new Queue(address.name, connectionOf(address));
  noteOutages(queue, terminal);
  return queue;
}

/** What to show, and how many runs are not done: of the store, or where none is watched, of the queue. */
async function look(
  store: Store | undefined,
  queue: RunQueue | undefined,
): Promise<{ text: string; left: number }> {
  const queued = queue && (await queueState(queue));
  const stored = store && (await storeState(store, queued?.keys));
  const left = stored?.left ?? queued!.counts.running + queued!.counts.waiting;
  return { text: [stored?.text, queued && queueText(queued)].filter(Boolean).join('\n\n'), left };
}

/** The counts of a queue, and a line for each run that is being done. */
function queueText({ counts, workers, running }: QueueState): string {
  const figures = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  if (workers !== undefined) figures.push(countOf(workers));
  const head = `queue: ${figures.join(', ')}`;
  if (running.length === 0) return head;
  return `${head}\n${table(['run', 'step', 'loss', 'for', 'worker', 'try'], running)}`;
}

/** A line for each recipe and task, and how many runs are left. */
async function storeState(
  store: Store,
  onQueue: ReadonlySet<string> = new Set(),
): Promise<{ text: string; left: number }> {
  const plans = await store.plans<ComparisonPlan>();
  if (plans.length === 0)
    throw new HypetuneError(`${store.folder}: no comparison was begun with this store.`);
  const plan = joinPlans(plans);
  const cells = await cellsOf(store, plan);
  const running = new Set([...(await readdir(join(store.folder, 'locks')).catch(() => [])), ...onQueue]);
  const rows = plan.tasks.flatMap(({ name, metrics: [metric] }) =>
    plan.recipes.map((recipe) => {
      const own = cells.filter((cell) => cell.recipe === recipe.name && cell.task === name);
      const count = (is: (cell: (typeof own)[number]) => boolean): string => String(own.filter(is).length);
      const values = own.flatMap(({ metrics }) => metrics?.[metric!] ?? []);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return [
        ...[recipe.name, name, count(({ run }) => run?.record.status === 'finished')],
        count(({ run }) => run?.record.status === 'failed'),
        count(({ run, key }) => run === undefined && running.has(key)),
        count(({ run, key }) => run === undefined && !running.has(key)),
        values.length > 0 ? `${metric!} ${mean.toFixed(4)}` : '-',
      ];
    }),
  );
  const left = cells.filter(({ run }) => run === undefined).length;
  return { text: table(['recipe', 'task', 'done', 'failed', 'running', 'waiting', 'mean'], rows), left };
}
