import { readFile } from 'node:fs/promises';
import { HypetuneError } from '@hypetune/core';

/** The text of a file; throws, naming it, where there is none. */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new HypetuneError(`${file}: there is no such file.`);
    if (code === 'EISDIR') throw new HypetuneError(`${file}: this is a folder, not a file.`);
    throw error;
  }
}
