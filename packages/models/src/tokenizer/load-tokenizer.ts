import { diskFolder } from '../disk-folder.js';
import { readTokenizer } from './read-tokenizer.js';
import type { Tokenizer } from './tokenizer.js';

/** {@link readTokenizer} of a folder on the disk. */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  return readTokenizer(diskFolder(folder));
}
