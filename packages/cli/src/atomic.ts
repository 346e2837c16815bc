import { lstat, mkdir, open, readdir, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { HypetuneError } from '@hypetune/core';

/** A folder that nobody writes to any more is a leftover after so long, whoever made it. */
const STALE_MILLISECONDS = 24 * 3600 * 1000;
/** In a folder beside its place: every file of it is on the disk. */
export const COMPLETE = '.complete';

/**
 * Makes sure, before any work, that a folder can be written whole at the end: refuses one that holds something unless
 * `force`, a file, a mount point, a link to nothing, and a place where nothing can be made.
 */
export async function checkOutput(folder: string, force: boolean): Promise<void> {
  const target = await place(folder);
  await recoverFolder(target);
  const entries = await readdir(target).catch(async (error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR' && (await exists(target)))
      throw new HypetuneError(`--out: '${folder}' is a file; name a folder.`);
    throw refused(folder, error);
  });
  if (entries.length > 0 && !force)
    throw new HypetuneError(
      `--out: '${folder}' is not empty; name another folder or add --force to replace it.`,
    );
  const parent = dirname(target);
  try {
    await mkdir(parent, { recursive: true });
    if ((await exists(target)) && (await stat(target)).dev !== (await stat(parent)).dev)
      throw new HypetuneError(
        `--out: '${folder}' is a mount point, which cannot be replaced as a whole; name a folder in it, as ${join(folder, 'run')}.`,
      );
    // What saving does, with nothing in it.
    const fresh = sibling(target, 'new');
    await mkdir(fresh);
    await rmdir(fresh);
  } catch (error) {
    throw refused(folder, error);
  }
}

/**
 * Writes a folder whole or not at all: `write` fills a folder beside it, which is flushed to the disk and then takes its
 * name. What was there before is replaced at that moment and not earlier, and a process killed in between loses neither.
 */
export async function writeFolder(folder: string, write: (folder: string) => Promise<void>): Promise<void> {
  const target = await place(folder);
  await recoverFolder(target);
  await mkdir(dirname(target), { recursive: true });
  const fresh = sibling(target, 'new');
  await mkdir(fresh);
  writing.add(fresh);
  try {
    await write(fresh);
    await flushFolder(fresh);
    await writeFile(join(fresh, COMPLETE), '');
    await flush(fresh);
    await takePlace(fresh, target);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  } finally {
    writing.delete(fresh);
  }
}

/** Puts a complete folder in place of what is there. Killed at any point, `recoverFolder` finishes it. */
async function takePlace(fresh: string, target: string): Promise<void> {
  const old = sibling(target, 'old');
  if (await exists(target)) await rename(target, old);
  await rename(fresh, target);
  await rm(join(target, COMPLETE), { force: true });
  await flush(dirname(target));
  await rm(old, { recursive: true, force: true });
}

/**
 * Mends what a killed process left beside a folder: where the folder is missing, a complete save that had not taken its
 * place yet takes it, else the one before comes back; everything else of it goes.
 */
export async function recoverFolder(folder: string): Promise<void> {
  const target = await place(folder);
  const parent = dirname(target);
  const mark = `.${basename(target)}.`;
  const stale: string[] = [];
  for (const name of await readdir(parent).catch(() => []))
    if (name.startsWith(mark) && (await isStale(join(parent, name), name.slice(mark.length))))
      stale.push(name);
  // A folder saved later is worth more than the one it was to replace.
  for (const kind of ['new-', 'old-'])
    for (const name of stale.filter((leftover) => leftover.startsWith(mark + kind))) {
      const path = join(parent, name);
      const whole = kind === 'old-' || (await exists(join(path, COMPLETE)));
      if (whole && !(await exists(target))) await rename(path, target);
      else await rm(path, { recursive: true, force: true });
    }
  if (await exists(join(target, COMPLETE))) await rm(join(target, COMPLETE));
}

/** Folders that this process is writing now. */
const writing = new Set<string>();

/** Whether a folder named `new-PID-...` or `old-PID-...` belongs to no process that still writes it. */
async function isStale(path: string, rest: string): Promise<boolean> {
  const pid = Number(/^(?:new|old)-(\d+)(?:-[0-9a-f]+)?$/.exec(rest)?.[1] ?? NaN);
  if (Number.isNaN(pid) || writing.has(path)) return false;
  if (pid === process.pid || !isAlive(pid)) return true;
  const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
  return age > STALE_MILLISECONDS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Writes a file whole or not at all, flushed to the disk. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const target = resolve(file);
  await mkdir(dirname(target), { recursive: true });
  const fresh = sibling(target, 'new');
  try {
    await writeFile(fresh, content, { flush: true });
    await rename(fresh, target);
    await flush(dirname(target));
  } finally {
    await rm(fresh, { force: true });
  }
}

function sibling(path: string, mark: 'new' | 'old'): string {
  return join(dirname(path), `.${basename(path)}.${mark}-${process.pid}-${randomBytes(4).toString('hex')}`);
}

/** A path as it really is: links followed, so that the folder they lead to is replaced and not the link. */
async function place(folder: string): Promise<string> {
  const path = resolve(folder);
  const link = await lstat(path).catch(() => undefined);
  if (!link?.isSymbolicLink()) return path;
  return realpath(path).catch(() => {
    throw new HypetuneError(`--out: '${folder}' is a link to nothing; remove it or name another folder.`);
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Has the disk hold a file's or folder's content, not only the memory of the machine. */
async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Some file systems flush no folders.
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error;
  } finally {
    await handle.close();
  }
}

async function flushFolder(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    await flush(join(entry.parentPath, entry.name));
  await flush(folder);
}

function refused(folder: string, error: unknown): Error {
  if (error instanceof HypetuneError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    {
      EACCES: 'permission denied',
      EROFS: 'the file system is read-only',
      ENOTDIR: 'a part of the path is a file',
    }[code ?? ''] ?? message;
  return new HypetuneError(`--out: nothing can be saved at '${folder}': ${why}; name another folder.`);
}
