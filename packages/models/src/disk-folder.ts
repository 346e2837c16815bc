import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelFolder } from './model-folder.js';

/** A folder on the disk of Node.js. */
export function diskFolder(path: string): ModelFolder {
  return {
    name: path,
    list: () => readdir(path).catch(unlessMissing),
    open: async (name) => {
      const file = join(path, name);
      const found = await stat(file).catch(unlessMissing);
      return found && { size: found.size, read: (begin, end) => readRange(file, begin, end) };
    },
  };
}

function unlessMissing(error: unknown): undefined {
  if (!['ENOENT', 'ENOTDIR'].includes((error as { code: string }).code)) throw error;
}

async function readRange(file: string, begin: number, end: number): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const bytes = new Uint8Array(end - begin);
    for (let at = 0; at < bytes.length;) {
      const { bytesRead } = await handle.read(bytes, at, Math.min(bytes.length - at, 2 ** 30), begin + at);
      if (bytesRead === 0) throw new Error(`${file}: the file ended while it was read`);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}
