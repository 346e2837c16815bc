import type { Queue } from 'bullmq';
import { duration } from '../progress.js';
import type { QueuedRun, RunProgress } from './queued-run.js';

/** What happens on a queue. */
export interface QueueState {
  readonly counts: Readonly<Record<'running' | 'waiting' | 'done' | 'failed', number>>;
  /** Undefined where the server does not tell. */
  readonly workers: number | undefined;
  /** A row for each run that a worker has: what it is, how far, for how long, who does it. */
  readonly running: readonly (readonly string[])[];
  /** Keys of the runs that a worker has. */
  readonly keys: ReadonlySet<string>;
}

/** Reads a queue once. */
export async function queueState(queue: Queue<QueuedRun, string>): Promise<QueueState> {
  const [counts, workers, active] = await Promise.all([
    queue.getJobCounts('active', 'waiting', 'delayed', 'completed', 'failed'),
    queue.getWorkersCount().catch(() => undefined),
    queue.getActive(),
  ]);
  const { waiting = 0, delayed = 0, completed = 0, failed = 0 } = counts;
  const running = active.map(({ name, progress, processedOn, processedBy, attemptsStarted }) => {
    const { step, total, loss } = progress as Partial<RunProgress>;
    return [
      name,
      step === undefined ? '-' : `${step}/${total!}`,
      loss === undefined ? '-' : loss.toFixed(4),
      processedOn === undefined ? '-' : duration(Math.max(0, (Date.now() - processedOn) / 1000)),
      processedBy ?? '-',
      String(attemptsStarted),
    ];
  });
  return {
    counts: { running: active.length, waiting: waiting + delayed, done: completed, failed },
    ...{ workers, running, keys: new Set(active.map(({ id }) => id!)) },
  };
}
