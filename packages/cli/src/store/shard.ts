import { HypetuneError } from '@hypetune/core';

/** A part of a comparison's runs. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

/** Exit code of a command that did not do its part for a reason of the machine, so that doing it again may help (EX_TEMPFAIL). */
export const RETRY = 75;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Which part to do: `2/8` is the second of eight; `auto` is told by Slurm's or AWS Batch's array job, `auto/8` by a Kubernetes
 * indexed job of eight as well, which does not say how many it has. Throws where it is none.
 */
export function shardOf(text: string, environment: Environment = process.env): Shard {
  const [, place, total] = /^(auto|\d+)(?:\/(\d+))?$/.exec(text) ?? [];
  if (place === undefined || (place !== 'auto' && total === undefined))
    throw new HypetuneError(`--shard: must be i/n as 2/8, auto, or auto/n, got '${text}'.`);
  const found = place === 'auto' ? ofArrayJob(environment) : { index: Number(place) - 1 };
  const count = total === undefined ? ('count' in found ? found.count : undefined) : Number(total);
  if (count === undefined || !(count >= 1))
    throw new HypetuneError(`--shard: the job says its index, not how many there are; write auto/n.`);
  if (!(found.index >= 0 && found.index < count))
    throw new HypetuneError(`--shard: there is no part ${found.index + 1} of ${count}.`);
  return { index: found.index, count };
}

function ofArrayJob(environment: Environment): { index: number; count?: number | undefined } {
  const number = (name: string): number | undefined =>
    environment[name] === undefined || environment[name] === '' ? undefined : Number(environment[name]);
  const slurm = number('SLURM_ARRAY_TASK_ID');
  if (slurm !== undefined) {
    const [first, step] = [number('SLURM_ARRAY_TASK_MIN') ?? 0, number('SLURM_ARRAY_TASK_STEP') ?? 1];
    return { index: (slurm - first) / step, count: number('SLURM_ARRAY_TASK_COUNT') };
  }
  const batch = number('AWS_BATCH_JOB_ARRAY_INDEX');
  if (batch !== undefined) return { index: batch, count: number('AWS_BATCH_JOB_ARRAY_SIZE') };
  const kubernetes = number('JOB_COMPLETION_INDEX');
  if (kubernetes !== undefined) return { index: kubernetes };
  throw new HypetuneError(
    `--shard auto: there is no SLURM_ARRAY_TASK_ID, AWS_BATCH_JOB_ARRAY_INDEX or JOB_COMPLETION_INDEX; write i/n.`,
  );
}
