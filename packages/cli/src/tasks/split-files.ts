import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { HypetuneError } from '@hypetune/core';
import { plainName } from './named-tasks.js';
import { endingOf, TABLE_ENDINGS } from './table.js';

export const SPLITS = ['train', 'dev', 'test'] as const;
export type Split = (typeof SPLITS)[number];

/** How the file of each split is called, its ending and what stands before aside; the first that is there is meant. */
export type SplitStems = Readonly<Record<Split, readonly string[]>>;

/** What is read where a release has the same rows in several forms. */
const ENDINGS: readonly string[] = [...new Set(['.parquet', '.tsv', '.jsonl', ...TABLE_ENDINGS, '.txt'])];

/** Folders that say nothing of what is in them but a split; others, as GLUE's `original`, hold something else. */
const LOOKED_INTO = /^(data|default|train|dev|validation|test)$/i;

/** The tables of a folder, sorted. */
async function tablesBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && LOOKED_INTO.test(entry.name)) found.push(...(await tablesBelow(path)));
    else if (!entry.isDirectory() && ENDINGS.includes(endingOf(path))) found.push(path);
  }
  return found.sort();
}

/** The name of a table without its ending and the number of its part: of `train/0000.parquet` that of the folder. */
function stemOf(file: string): string {
  const name = basename(file).replace(/\.gz$/i, '');
  const stem = name.slice(0, name.length - endingOf(file).length).replace(/-\d+-of-\d+$/, '');
  return /^\d+$/.test(stem) ? basename(dirname(file)) : stem;
}

const isCalled = (stem: string, wanted: string): boolean =>
  stem.toLowerCase() === wanted.toLowerCase() || new RegExp(`[-_.]${wanted}$`, 'i').test(stem);

/**
 * The files of a table below a folder by what it is called: one, or the parts of one; none where there is no such. Throws
 * where several tables of one form are called so.
 */
export async function filesCalled(folder: string, stems: readonly string[]): Promise<string[]> {
  const all = await tablesBelow(folder);
  for (const wanted of stems) {
    const called = all.filter((file) => isCalled(stemOf(file), wanted));
    const ending = ENDINGS.find((each) => called.some((file) => endingOf(file) === each));
    const files = called.filter((file) => endingOf(file) === ending);
    if (files.length === 0) continue;
    const tables = new Set(files.map((file) => join(dirname(file), stemOf(file))));
    if (tables.size === 1) return files;
    throw new HypetuneError(
      `data: ${files[0]!} and ${files.find((file) => stemOf(file) !== stemOf(files[0]!) || dirname(file) !== dirname(files[0]!))!} may both be the rows of '${wanted}'; name the folder of one.`,
    );
  }
  return [];
}

/** The folder below that is called one of these names, however deep such folders lie in each other; else the folder itself. */
export async function folderCalled(folder: string, names: readonly string[]): Promise<string> {
  let entries;
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch {
    throw new HypetuneError(`data: there is no folder '${folder}'.`);
  }
  for (const name of names) {
    const found = entries.find((entry) => plainName(entry.name) === plainName(name) && !entry.isFile());
    if (found) return folderCalled(join(folder, found.name), names);
  }
  return folder;
}
