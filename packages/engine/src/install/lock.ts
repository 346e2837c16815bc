import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, utimes, writeFile, link } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { InstallError } from './error.js';

/** Who holds a lock. */
interface Holder {
  token: string;
  process: number;
  host: string;
}

const beatMilliseconds = 5_000;
/** A lock whose holder has not touched it for so long is taken over. */
const staleMilliseconds = 60_000;

/** How to wait for a lock. */
export interface LockOptions {
  signal?: AbortSignal | undefined;
  /** Called once if another process holds the lock. */
  onWait?: (holder: number) => void;
  /** Time between two looks. Default 500 ms. */
  pollMilliseconds?: number;
}

/** Runs `task` while no other process or call does so under the same lock file; waits for its turn. */
export async function withLock<T>(
  file: string,
  task: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const mine: Holder = { token: randomUUID(), process: process.pid, host: hostname() };
  await mkdir(dirname(file), { recursive: true });
  let told = false;
  while (!(await take(file, mine))) {
    const other = await holder(file);
    if (other !== undefined && (await isStale(file, other))) {
      await breakLock(file, other);
      continue;
    }
    if (other !== undefined && !told) {
      options.onWait?.(other.process);
      told = true;
    }
    try {
      await sleep(
        options.pollMilliseconds ?? 500,
        undefined,
        options.signal ? { signal: options.signal } : {},
      );
    } catch (error) {
      throw new InstallError('aborted', 'The installation was interrupted while another one was running.', {
        cause: error,
      });
    }
  }
  const beat = setInterval(
    () => void utimes(file, new Date(), new Date()).catch(() => undefined),
    beatMilliseconds,
  );
  beat.unref();
  try {
    return await task();
  } finally {
    clearInterval(beat);
    if ((await holder(file))?.token === mine.token) await rm(file, { force: true });
  }
}

/** Writes the lock under another name first, so that it is never seen half-written. */
async function take(file: string, mine: Holder): Promise<boolean> {
  const draft = `${file}.${mine.token}`;
  await writeFile(draft, JSON.stringify(mine));
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** The holder, undefined without a lock; an unreadable lock has a holder that only its age can prove dead. */
async function holder(file: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return { token: 'unreadable', process: 0, host: '' };
  }
}

async function isStale(file: string, other: Holder): Promise<boolean> {
  if (other.host === hostname() && !isAlive(other.process)) return true;
  try {
    return Date.now() - (await stat(file)).mtimeMs > staleMilliseconds;
  } catch {
    return false;
  }
}

/** Whether there is a process of this number. */
export function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Moves a dead holder's lock away; puts it back if a live one has come in between. */
async function breakLock(file: string, dead: Holder): Promise<void> {
  const moved = `${file}.${dead.token}.dead`;
  try {
    await rename(file, moved);
    if ((await holder(moved))!.token !== dead.token) await link(moved, file);
  } catch {
    // Another waiter was quicker.
  }
  await rm(moved, { force: true });
}
