import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { isAlive } from '@hypetune/models';

/** A lock that was not touched for so long belongs to a process that is gone, on whatever machine it was. */
const STALE_MILLISECONDS = 120_000;
const TOUCH_MILLISECONDS = 15_000;

/** A run that this process is doing. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes a lock file, or returns undefined where another process that lives has it. One that a killed process left is taken over.
 * Two that take over at the same moment may both hold it: the run is then done twice, with the same result.
 */
export async function takeLock(file: string): Promise<Lock | undefined> {
  await mkdir(dirname(file), { recursive: true });
  const owner = `${process.pid} ${hostname()} ${randomBytes(8).toString('hex')}\n`;
  for (let round = 0; round < 2; round += 1) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(owner);
      await handle.close();
      const timer = setInterval(() => {
        void utimes(file, new Date(), new Date()).catch(() => undefined);
      }, TOUCH_MILLISECONDS);
      timer.unref();
      return {
        release: async () => {
          clearInterval(timer);
          if ((await readFile(file, 'utf8').catch(() => '')) === owner) await rm(file, { force: true });
        },
      };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (!(await isStale(file))) return undefined;
      const aside = `${file}.${randomBytes(4).toString('hex')}`;
      await rename(file, aside).catch(() => undefined);
      await rm(aside, { force: true });
    }
  }
  return undefined;
}

/** Whether a process that lives has a lock file. */
export async function isTaken(file: string): Promise<boolean> {
  return !(await isStale(file));
}

async function isStale(file: string): Promise<boolean> {
  const age =
    Date.now() -
    (await stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    ));
  if (age > STALE_MILLISECONDS) return true;
  const [pid, host] = (await readFile(file, 'utf8').catch(() => '')).trim().split(' ');
  // A lock without an owner is being written now.
  return host === hostname() && Number(pid) !== process.pid && !isAlive(Number(pid));
}
