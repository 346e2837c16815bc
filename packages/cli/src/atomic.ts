import { existsSync } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { HypetuneError } from '@hypetune/core';
import { HOST, isAlive, parseSource } from '@hypetune/models';

/** A folder that nobody writes to any more is a leftover after so long, whoever made it. */
const STALE_MILLISECONDS = 24 * 3600 * 1000;
/** In a folder beside its place: every file of it is on the disk. */
export const COMPLETE = '.complete';

/**
 * Makes sure, before any work, that a folder can be written whole at the end: refuses one that holds something unless
 * `force`, a file, a mount point, a link to nothing, and a place where nothing can be made.
 */
export async function checkOutput(folder: string, force: boolean, flag = '--out'): Promise<void> {
  const target = await place(folder);
  if (await holdsPath(target, process.cwd()))
    throw new HypetuneError(
      `${flag}: '${folder}' holds the folder that you are in, and a folder is replaced as a whole; go elsewhere, or name one inside it.`,
    );
  await recover(target);
  const entries = await readdir(target).catch(async (error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR' && (await exists(target)))
      throw new HypetuneError(`${flag}: '${folder}' is a file; name a folder.`);
    throw refused(folder, error, flag);
  });
  if (entries.length > 0 && !force)
    throw new HypetuneError(
      `${flag}: '${folder}' is not empty; name another folder or add --force to replace it.`,
    );
  const parent = dirname(target);
  try {
    await mkdir(parent, { recursive: true });
    if ((await exists(target)) && (await stat(target)).dev !== (await stat(parent)).dev)
      throw new HypetuneError(
        `${flag}: '${folder}' is a mount point, which cannot be replaced as a whole; name a folder in it, as ${join(folder, 'run')}.`,
      );
    // What saving does, with nothing in it.
    const fresh = sibling(target, 'new');
    await mkdir(fresh);
    await rmdir(fresh);
  } catch (error) {
    throw refused(folder, error, flag);
  }
}

/** The same for a file; one that is there is replaced. */
export async function checkOutputFile(file: string, flag = '--out'): Promise<void> {
  const target = resolve(file);
  try {
    if ((await exists(target)) && (await stat(target)).isDirectory())
      throw new HypetuneError(`${flag}: '${file}' is a folder; name a file.`);
    await mkdir(dirname(target), { recursive: true });
    const fresh = sibling(target, 'new');
    await writeFile(fresh, '');
    await rm(fresh);
  } catch (error) {
    throw refused(file, error, flag, 'file');
  }
}

/** Throws where one of two folders is the other or holds it: written as a whole, one would take the other's place. */
export async function checkApart(folder: string, flag: string, other: string): Promise<void> {
  const [one, two] = [await place(folder), await place(other)];
  if (holds(one, two) || holds(two, one))
    throw new HypetuneError(
      `${flag}: '${folder}' and '${other}' must lie beside each other, because a folder is replaced as a whole; name another.`,
    );
}

/** Whether a path is another or lies in it. */
const holds = (outer: string, inner: string): boolean =>
  !/^(\.\.($|[\\/])|[A-Za-z]:)/.test(relative(outer, inner));

/** The same of what is there, links followed on the whole way. */
async function holdsPath(outer: string, inner: string): Promise<boolean> {
  if (!existsSync(outer)) return false;
  return holds(await realpath(outer), await realpath(inner));
}

/** Throws where a folder holds what a run reads, which would be gone when it is replaced; the model may be the folder itself. */
export async function checkHoldsNone(
  folder: string,
  flag: string,
  inputs: readonly (string | undefined)[],
  model?: string,
): Promise<void> {
  for (const source of [...inputs, model]) {
    const path = source === undefined ? undefined : pathOf(source);
    if (path === undefined || !existsSync(path) || !(await holdsPath(folder, path))) continue;
    if (source === model && (await holdsPath(path, folder))) continue;
    throw new HypetuneError(
      `${flag}: '${folder}' holds '${path}', which the run reads, and a folder is replaced as a whole; name another.`,
    );
  }
}

/** Where a file or a source lies that is on this machine. */
function pathOf(source: string): string | undefined {
  if (existsSync(source)) return source;
  const [, path] = /^file:(.+)$/.exec(source) ?? [];
  const found = parseSource(`file:${path ?? source}`);
  return found.kind === 'file' ? found.path : undefined;
}

/**
 * Writes a folder whole or not at all: `write` fills a folder beside it, which is flushed to the disk and then takes its
 * name. What was there before is replaced at that moment and not earlier, and a process killed in between loses neither.
 */
export async function writeFolder(folder: string, write: (folder: string) => Promise<void>): Promise<void> {
  const target = await place(folder);
  await recover(target);
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
    // What cannot be removed now (the disk is gone) goes at the next start; why the save failed is what counts.
    await rm(fresh, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  } finally {
    writing.delete(fresh);
  }
}

/** Puts a complete folder in place of what is there. Killed at any point, `recover` finishes it. Of several at once the last stays. */
async function takePlace(fresh: string, target: string): Promise<void> {
  const replaced: string[] = [];
  try {
    do {
      const old = sibling(target, 'old');
      writing.add(old);
      replaced.push(old);
      // Nothing may be there; and another may take the place in between.
      await rename(target, old).catch(unless('ENOENT'));
    } while (!(await rename(fresh, target).then(() => true, unless('ENOTEMPTY', 'EEXIST'))));
    await rm(join(target, COMPLETE), { force: true });
    await flush(dirname(target));
    for (const old of replaced) await rm(old, { recursive: true, force: true });
  } finally {
    for (const old of replaced) writing.delete(old);
  }
}

/** Gives false for errors of these codes, and throws others. */
const unless =
  (...codes: readonly string[]) =>
  (error: unknown): false => {
    if (codes.includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  };

/**
 * Mends what a killed process left beside a folder or file: where a folder is missing, a complete save that had not taken its
 * place yet takes it, else the one before comes back; everything else of it goes.
 */
export async function recover(folder: string): Promise<void> {
  await recoverPlace(await place(folder));
}

async function recoverPlace(target: string): Promise<void> {
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
      const vacant = whole && !(await exists(target));
      // Another process may be mending the same.
      const taken =
        vacant && (await rename(path, target).then(() => true, unless('ENOENT', 'ENOTEMPTY', 'EEXIST')));
      if (!taken) await rm(path, { recursive: true, force: true });
    }
  // Another process may be removing it as well.
  if (await exists(join(target, COMPLETE))) await rm(join(target, COMPLETE), { force: true });
}

/** Folders that this process is writing, or replacing, now. */
const writing = new Set<string>();

/** Whether what is named `new-PID-HOST-...` or `old-PID-HOST-...` belongs to no process that still writes it. */
async function isStale(path: string, rest: string): Promise<boolean> {
  const [, pid, host] = /^(?:new|old)-(\d+)-(.+)-[0-9a-f]+$/.exec(rest) ?? [];
  if (pid === undefined || writing.has(path)) return false;
  const isOurs = host === HOST;
  if (isOurs && (Number(pid) === process.pid || !isAlive(Number(pid)))) return true;
  const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
  // After a restart of the machine the number may be another process's. Of another machine's processes only the age is known.
  return age > (isOurs ? Math.min(STALE_MILLISECONDS, uptime() * 1000) : STALE_MILLISECONDS);
}

/** Writes a file whole or not at all, flushed to the disk. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const target = resolve(file);
  await recoverPlace(target);
  await mkdir(dirname(target), { recursive: true });
  const fresh = sibling(target, 'new');
  writing.add(fresh);
  try {
    await writeFile(fresh, content, { flush: true });
    await rename(fresh, target);
    await flush(dirname(target));
  } finally {
    await rm(fresh, { force: true }).catch(() => undefined);
    writing.delete(fresh);
  }
}

function sibling(path: string, mark: 'new' | 'old'): string {
  return join(
    dirname(path),
    `.${basename(path)}.${mark}-${process.pid}-${HOST}-${randomBytes(4).toString('hex')}`,
  );
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
    if (entry.isFile() || entry.isDirectory()) await flush(join(entry.parentPath, entry.name));
  await flush(folder);
}

function refused(path: string, error: unknown, flag: string, kind = 'folder'): Error {
  if (error instanceof HypetuneError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const why =
    {
      EACCES: 'permission denied',
      EROFS: 'the file system is read-only',
      EEXIST: 'a part of the path is a file',
      ENOTDIR: 'a part of the path is a file',
    }[code ?? ''] ?? message;
  return new HypetuneError(`${flag}: nothing can be saved at '${path}': ${why}; name another ${kind}.`);
}
