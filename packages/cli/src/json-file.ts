import { HypetuneError } from '@hypetune/core';
import { readText } from './text-file.js';

/** The value in a JSON file; throws, naming the file, where there is none. */
export async function readJson(file: string): Promise<unknown> {
  const text = await readText(file);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new HypetuneError(`${file}: not valid JSON: ${(error as Error).message}`);
  }
}
