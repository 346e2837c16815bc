import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { HypetuneError } from '@hypetune/core';

/** Refuses a folder that already holds something, unless `force`; called before any work, so that none is lost. */
export async function checkOutput(folder: string, force: boolean): Promise<void> {
  const entries = await readdir(folder).catch((error: unknown) => {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') throw new HypetuneError(`--out: '${folder}' is a file; name a folder.`);
    throw error;
  });
  if (entries.length > 0 && !force)
    throw new HypetuneError(
      `--out: '${folder}' is not empty; name another folder or add --force to replace it.`,
    );
}

/**
 * Writes a folder whole or not at all: `write` fills a folder beside it, which then takes its name. What was there before
 * is replaced at that moment and not earlier.
 */
export async function writeFolder(folder: string, write: (folder: string) => Promise<void>): Promise<void> {
  const target = resolve(folder);
  await mkdir(dirname(target), { recursive: true });
  const fresh = sibling(target, 'new');
  const old = sibling(target, 'old');
  await mkdir(fresh);
  try {
    await write(fresh);
    if (await exists(target)) await rename(target, old);
    await rename(fresh, target);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  await rm(old, { recursive: true, force: true });
}

/** Writes a file whole or not at all. */
export async function writeWhole(file: string, content: string | Uint8Array): Promise<void> {
  const target = resolve(file);
  await mkdir(dirname(target), { recursive: true });
  const fresh = sibling(target, 'new');
  try {
    await writeFile(fresh, content);
    await rename(fresh, target);
  } finally {
    await rm(fresh, { force: true });
  }
}

function sibling(path: string, mark: string): string {
  return join(dirname(path), `.${basename(path)}.${mark}-${process.pid}`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
