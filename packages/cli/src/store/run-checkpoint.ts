import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Snapshot } from '@hypetune/core';
import { recover, writeFolder } from '../atomic.js';
import { readCheckpoint, writeCheckpoint } from '../checkpoint.js';
import type { RunCost } from '../run.js';
import type { CurveLine } from './record.js';
import { CURVE, jsonLines, readLines } from './store.js';

const SNAPSHOT = 'snapshot.safetensors';
const SPENT = 'spent.json';

/** Where a run of a store is that has not ended: it goes on from here to the same bytes. */
export interface RunCheckpoint {
  readonly snapshot: Snapshot;
  /** Its lines so far. */
  readonly curve: readonly CurveLine[];
  /** What it cost so far. */
  readonly spent: RunCost;
}

/** Writes a checkpoint over the one before, whole or not at all. */
export async function writeRunCheckpoint(folder: string, checkpoint: RunCheckpoint): Promise<void> {
  const { snapshot, curve, spent } = checkpoint;
  await writeFolder(folder, async (fresh) => {
    await writeCheckpoint(join(fresh, SNAPSHOT), snapshot);
    await writeFile(join(fresh, CURVE), jsonLines(curve));
    await writeFile(join(fresh, SPENT), JSON.stringify(spent));
  });
}

/** The checkpoint of a run; undefined where there is none. Throws where it is damaged. */
export async function readRunCheckpoint(folder: string): Promise<RunCheckpoint | undefined> {
  await recover(folder);
  if (!existsSync(join(folder, SPENT))) return undefined;
  return {
    snapshot: await readCheckpoint(join(folder, SNAPSHOT)),
    curve: await readLines<CurveLine>(join(folder, CURVE)),
    spent: JSON.parse(await readFile(join(folder, SPENT), 'utf8')) as RunCost,
  };
}

/** Removes what there is of a run's checkpoint. */
export async function removeRunCheckpoint(folder: string): Promise<void> {
  await recover(folder);
  await rm(folder, { recursive: true, force: true });
}
