import { hostname } from 'node:os';
import type { EngineName } from '@hypetune/engine';
import type { Job } from 'bullmq';
import { startEngine } from '../engine.js';
import { isDone, perform } from '../store/perform.js';
import type { Store } from '../store/store.js';
import { note, type Terminal, warnOnce } from '../terminal.js';
import { connectionOf, noteOutages, openBull, type QueueAddress, shown } from './connection.js';
import { packRun, type Place, type QueuedRun, QueuedRuns, type RunProgress } from './queued-run.js';

export interface WorkOptions {
  /** Gets the runs and their checkpoints. */
  readonly store: Store;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** End when no run waits and none is being done. */
  readonly burst: boolean;
  /** Seconds without a sign of life after which others take over what this worker does. */
  readonly stalledAfter: number;
  /** Where folders of the machine that asks lie here. */
  readonly places: readonly Place[];
}

/** How often a run may lose its worker before it is given up: one that kills each of them must not go round for ever. */
const MAX_STALLED = 10;

/** Milliseconds that a worker which ends waits for a Redis that does not answer. */
const PATIENCE = 5000;

/** Milliseconds between two words of progress. */
const PROGRESS = 1000;

/**
 * Takes runs from a queue, one at a time, until a signal comes: the run at hand then leaves a checkpoint and goes back to the
 * queue. Returns how many runs it did, and whether it is over: where Redis does not answer at the end, its client tries on.
 */
export async function work(
  address: QueueAddress,
  options: WorkOptions,
): Promise<{ readonly done: number; readonly isOver: boolean }> {
  const { terminal, signal, stalledAfter } = options;
  const { Queue, WaitingError, Worker } = await openBull(address);
  note(terminal, `waiting for runs on ${shown(address.url)}; they are kept in ${options.store.folder}`);
  const queuedRuns = new QueuedRuns(terminal, signal, options.places);
  const onWarning = warnOnce(terminal);
  let engine: string | undefined;
  let done = 0;
  /** The run that is being done, while it is. */
  let atHand: Promise<unknown> | undefined;

  const doRun = async (job: RunJob, token: string | undefined, lost: AbortSignal): Promise<string> => {
    const { key, identity, retryFailed } = job.data;
    note(terminal, `${job.name}: taken`);
    const stop = AbortSignal.any([signal, lost]);
    let isDoneHere = false;
    try {
      if (engine !== identity.engine) engine = await startEngine(terminal, identity.engine as EngineName);
      const run = await queuedRuns.open(job.data);
      const performing = perform(options.store, [run], {
        ...{ terminal, signal: stop, onWarning, wait: true, retryFailed },
        onStep: progressOf(job),
      });
      atHand = performing;
      const performed = await performing;
      if (performed.troubles.length > 0) throw new Error(performed.troubles[0]);
      // The store of the worker may have had it.
      isDoneHere = performed.done > 0 || (await isDone(options.store, key, retryFailed));
    } catch (error) {
      if (!stop.aborted) {
        note(terminal, `${job.name}: ${(error as Error).message}`);
        throw new Error(`${hostname()}: ${(error as Error).message}`, { cause: error });
      }
    }
    if (isDoneHere) {
      done += 1;
      note(terminal, `${job.name}: done`);
      return packRun(await options.store.readWhole(key));
    }
    if (lost.aborted) {
      note(terminal, `${job.name}: another worker has taken over`);
      throw new Error(`${hostname()}: another worker has taken over.`);
    }
    await job.moveToWait(token);
    note(terminal, `${job.name}: handed back`);
    throw new WaitingError();
  };

  const worker = new Worker<QueuedRun, string>(
    address.name,
    (job, token, lost) => doRun(job, token, lost as AbortSignal),
    {
      ...connectionOf(address),
      ...{ autorun: false, name: `${hostname()}-${process.pid}` },
      lockDuration: stalledAfter * 1000,
      stalledInterval: stalledAfter * 500,
      maxStalledCount: MAX_STALLED,
    },
  );
  noteOutages(worker, terminal);
  worker.on('lockRenewalFailed', (keys) => {
    for (const key of keys) worker.cancelJob(key);
  });
  const end = (): void => {
    // What goes wrong in it is thrown below.
    worker.close().catch(() => undefined);
  };
  signal.addEventListener('abort', end, { once: true });
  const queue = options.burst ? new Queue(address.name, connectionOf(address)) : undefined;
  try {
    const running = worker.run();
    if (queue) {
      noteOutages(queue, terminal);
      while (!signal.aborted && (await queue.getJobCountByTypes('waiting', 'active', 'delayed')) > 0)
        await new Promise((resolve) => setTimeout(resolve, PROGRESS / 4));
      end();
    }
    const over = running.then(() => worker.close());
    if (!(await endsInTime(over, signal, () => atHand))) {
      note(terminal, `${shown(address.url)} does not answer; what was taken from it goes to other workers`);
      return { done, isOver: false };
    }
    await queue?.close();
    return { done, isOver: true };
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** Waits for the end of a worker; after a signal no longer than `PATIENCE` beyond its run at hand. Returns whether it came to its end. */
async function endsInTime(
  over: Promise<void>,
  signal: AbortSignal,
  atHand: () => Promise<unknown> | undefined,
): Promise<boolean> {
  let clock: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    const wait = async (): Promise<void> => {
      await atHand()?.catch(() => undefined);
      clock = setTimeout(resolve, PATIENCE, false);
    };
    if (signal.aborted) void wait();
    else signal.addEventListener('abort', () => void wait(), { once: true });
  });
  try {
    return await Promise.race([over.then(() => true), late]);
  } finally {
    clearTimeout(clock);
    over.catch(() => undefined);
  }
}

type RunJob = Job<QueuedRun, string>;

/** Tells the queue how far a run is, at most every second. */
function progressOf(job: RunJob): (run: unknown, report: RunProgress) => void {
  let last = 0;
  return (_, { step, total, loss }) => {
    if (Date.now() - last < PROGRESS) return;
    last = Date.now();
    // Its loss costs nothing but a stale line on somebody's screen.
    job.updateProgress({ step, total, loss }).catch(() => undefined);
  };
}
