import { HypetuneError } from '@hypetune/core';
import type { Command } from 'commander';
import { connectionOf, countOf, noteOutages, openBull, type QueueAddress } from '../queue/connection.js';
import type { RunQueue } from '../queue/perform-on-queue.js';
import { type QueueState, queueState } from '../queue/queue-state.js';
import { table } from '../report/table.js';
import { cellsOf, joinedPlan } from '../store/plan.js';
import { Store } from '../store/store.js';
import { print, type Terminal } from '../terminal.js';
import { addQueueFlags, numberFlag, type QueueFlags, queueOf } from './flags.js';

interface WatchFlags extends QueueFlags {
  readonly once?: true;
  readonly every: number;
  readonly json?: true;
}

export function addWatch(program: Command, terminal: Terminal): void {
  const command = program
    .command('watch')
    .description('how far the comparisons of a store and the runs on a queue are, until every run is done')
    .argument('[store]', 'a folder that compare --store fills')
    .option('--once', 'print it once and end')
    .option('--every <seconds>', 'seconds between two looks', numberFlag, 5)
    .option('--json', 'print each state as a line of JSON');
  addQueueFlags(command, 'a Redis that workers take runs from').action(
    async (folder: string | undefined, flags: WatchFlags) => {
      const { once, every, json } = flags;
      const address = queueOf(flags);
      if (folder === undefined && !address)
        throw new HypetuneError('watch: name a store of runs, a --queue, or both.');
      const store = folder === undefined ? undefined : Store.existing(folder);
      const queue = address && (await openQueue(address, terminal));
      let before = '';
      try {
        for (;;) {
          const seen = await look(store, queue);
          const text = json ? JSON.stringify(seen) : shown(seen);
          // On a terminal the tables stand still and their numbers change.
          const still = terminal.out.isTTY && !json;
          if (still && before !== '') terminal.out.write(`\u001b[${before.split('\n').length}A\u001b[J`);
          if (still || text !== before) print(terminal, text);
          before = text;
          if (once || seen.left === 0) return;
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

/** What there is to show. */
interface Seen {
  /** Runs that are not done: of the store, or where none is watched, of the queue. */
  readonly left: number;
  readonly recipes?: readonly RecipeState[] | undefined;
  readonly queue?: Omit<QueueState, 'keys'> | undefined;
}

async function look(store: Store | undefined, queue: RunQueue | undefined): Promise<Seen> {
  const { keys, ...queued } = queue ? await queueState(queue) : { keys: undefined };
  const stored = store && (await storeState(store, keys));
  const state = 'counts' in queued ? queued : undefined;
  const left = stored?.left ?? state!.counts.running + state!.counts.waiting;
  return { left, ...(stored && { recipes: stored.recipes }), ...(state && { queue: state }) };
}

function shown({ recipes, queue }: Seen): string {
  return [recipes && stateTable(recipes), queue && queueText(queue)].filter(Boolean).join('\n\n');
}

/** The counts of a queue, and a line for each run that is being done. */
function queueText({ counts, workers, running }: Omit<QueueState, 'keys'>): string {
  const figures = Object.entries(counts).map(([name, count]) => `${count} ${name}`);
  if (workers !== undefined) figures.push(countOf(workers));
  const head = `queue: ${figures.join(', ')}`;
  if (running.length === 0) return head;
  return `${head}\n${table(['run', 'step', 'loss', 'for', 'worker', 'try'], running)}`;
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
async function storeState(
  store: Store,
  onQueue: ReadonlySet<string> = new Set(),
): Promise<{ recipes: RecipeState[]; left: number }> {
  const { plan } = await joinedPlan(store);
  const cells = await cellsOf(store, plan);
  const busy = new Set([...(await store.busy()), ...onQueue]);
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
        running: count(({ run, key }) => run === undefined && busy.has(key)),
        waiting: count(({ run, key }) => run === undefined && !busy.has(key)),
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
