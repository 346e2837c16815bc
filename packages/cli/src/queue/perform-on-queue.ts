import type { Queue } from 'bullmq';
import type { NamedRun } from '../comparison-runs.js';
import { isDone, LOOK, perform, type Performed, type PerformOptions } from '../store/perform.js';
import { removeRunCheckpoint } from '../store/run-checkpoint.js';
import type { Store } from '../store/store.js';
import { note } from '../terminal.js';
import { connectionOf, countOf, noteOutages, openBull, type QueueAddress, shown } from './connection.js';
import { type QueuedRun, queuedRun, unpackRun } from './queued-run.js';

/** A run that a machine could not do is tried so often in all, by whatever worker takes it. */
const ATTEMPTS = { attempts: 3, backoff: { type: 'exponential', delay: 2000 } };

/** Seconds that ended runs stay on the queue, for whoever asks for the same. */
const KEEP = { removeOnComplete: { age: 86_400 }, removeOnFail: { age: 7 * 86_400 } };

/**
 * Puts the runs that a store lacks on a queue, under their keys, so that none stands there twice; waits for workers, and writes what
 * they return into the store. Stopped by a signal, the runs stay on the queue, and the same call later collects them.
 */
async function performOnQueue(
  address: QueueAddress,
  store: Store,
  wanted: readonly NamedRun[],
  { terminal, signal, retryFailed }: PerformOptions,
): Promise<Performed> {
  const { Queue } = await openBull(address);
  const queue: RunQueue = new Queue(address.name, connectionOf(address));
  noteOutages(queue, terminal);
  const isStopped = (): boolean => signal.aborted;
  const troubles: string[] = [];
  let done = 0;
  let said = '';
  try {
    let left: NamedRun[] = [];
    for (const run of wanted) if (!(await isDone(store, run.key, retryFailed))) left.push(run);
    const asked = left.length;
    for (const run of left) await forgetFailure(queue, run.key, retryFailed);
    await enqueue(queue, left, retryFailed);
    while (left.length > 0 && !isStopped()) {
      const states = await Promise.all(left.map(({ key }) => queue.getJobState(key)));
      const still: NamedRun[] = [];
      const gone: NamedRun[] = [];
      for (const [place, run] of left.entries()) {
        const state = states[place]!;
        if (state === 'failed') {
          const why = (await queue.getJob(run.key))?.failedReason ?? 'no reason is known';
          troubles.push(`${nameOf(run)}: ${why}`);
          note(terminal, `not done: ${troubles.at(-1)!}`);
        } else if (state === 'completed' && (await collect(queue, store, run.key))) done += 1;
        else still.push(run);
        if (state === 'unknown') gone.push(run);
      }
      // Somebody emptied the queue.
      await enqueue(queue, gone, retryFailed);
      left = still;
      const line = await state(queue, asked - left.length - troubles.length, asked, address);
      if (line !== said) note(terminal, (said = line));
      if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, LOOK));
    }
    if (left.length > 0)
      note(terminal, `${left.length} runs stay on the queue; the same command collects them`);
    return { done, troubles };
  } finally {
    await queue.close();
  }
}

/** Runs by their keys; what they return is packed. */
export type RunQueue = Queue<QueuedRun, string>;

const nameOf = ({ recipe, task, seed }: NamedRun): string => `${recipe.name} · ${task} · seed ${seed}`;

async function enqueue(queue: RunQueue, runs: readonly NamedRun[], retryFailed: boolean): Promise<void> {
  const jobs = await Promise.all(
    runs.map(async (run) => ({
      name: nameOf(run),
      data: await queuedRun(run, retryFailed),
      opts: { jobId: run.key, ...ATTEMPTS, ...KEEP },
    })),
  );
  await queue.addBulk(jobs);
}

/** Takes a run off the queue that ended badly there: it is asked for again. */
async function forgetFailure(queue: RunQueue, key: string, retryFailed: boolean): Promise<void> {
  const job = await queue.getJob(key);
  const state = await job?.getState();
  const isFailure =
    state === 'failed' ||
    (state === 'completed' && retryFailed && unpackRun(job!.returnvalue, key).record.status === 'failed');
  if (isFailure) await job!.remove();
}

/** Writes what a worker returned; false while another process holds the run's lock. */
async function collect(queue: RunQueue, store: Store, key: string): Promise<boolean> {
  const job = await queue.getJob(key);
  if (!job) return false;
  const lock = await store.lock(key);
  if (!lock) return false;
  try {
    await store.recover(key);
    await store.write(unpackRun(job.returnvalue, key));
    await removeRunCheckpoint(store.checkpoint(key));
    return true;
  } finally {
    await lock.release();
  }
}

async function state(queue: RunQueue, done: number, all: number, address: QueueAddress): Promise<string> {
  const { active = 0, waiting = 0, delayed = 0 } = await queue.getJobCounts('active', 'waiting', 'delayed');
  // Not every server tells who is connected.
  const workers = await queue.getWorkersCount().catch(() => undefined);
  const none = `no worker yet: hypetune worker ${shown(address.url)}`;
  const who = workers === undefined ? '' : `; ${workers === 0 ? none : countOf(workers)}`;
  return `${done} of ${all} runs are here; on the queue ${active} running, ${waiting + delayed} waiting${who}`;
}

/** Does runs by a queue, or where there is none, here. */
export function performer(
  queue: QueueAddress | undefined,
): (store: Store, wanted: readonly NamedRun[], options: PerformOptions) => Promise<Performed> {
  return queue ? async (store, wanted, options) => performOnQueue(queue, store, wanted, options) : perform;
}
