import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Entry, ZipFile } from 'yauzl';
import { archivePath, writeEntry } from './archive-path.js';
import { UnpackLimit } from './unpack-limit.js';

const SYMBOLIC_LINK = 0o120000;
const FILE_TYPE = 0o170000;

/** Unpacks the regular files of a zip (a wheel is one) into `folder`; links and names that lead out are refused. */
export async function unzip(archive: string, folder: string, signal?: AbortSignal): Promise<void> {
  // Here, as what was unpacked once is read without it.
  const { open } = await import('yauzl');
  const zip = await new Promise<ZipFile>((resolve, reject) => {
    open(archive, { lazyEntries: true, autoClose: false }, (error, file) => {
      if (error) reject(new Error(`${archive}: not a readable zip: ${error.message}`, { cause: error }));
      else resolve(file);
    });
  });
  const limit = new UnpackLimit(archive);
  try {
    for (let entry = await nextEntry(zip); entry; entry = await nextEntry(zip)) {
      signal?.throwIfAborted();
      const path = archivePath(folder, entry.fileName, archive);
      if (((entry.externalFileAttributes >>> 16) & FILE_TYPE) === SYMBOLIC_LINK) {
        throw new Error(
          `${archive}: the entry "${entry.fileName}" is a link; nothing of the archive is used`,
        );
      }
      if (entry.fileName.endsWith('/')) continue;
      // The size is what the archive says; a stream that yields more is refused by the zip reader.
      limit.add(entry.uncompressedSize);
      await writeEntry(path, entry.fileName, archive, async () => {
        // Opened when it is wanted: a damaged one fails at once, and has to have somebody who hears of it.
        const content = await readStream(zip, entry);
        await pipeline(content, createWriteStream(path, { flags: 'wx' }));
      });
    }
  } finally {
    zip.close();
  }
}

function nextEntry(zip: ZipFile): Promise<Entry | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (action: () => void): void => {
      zip.removeAllListeners();
      action();
    };
    zip.once('entry', (entry: Entry) => {
      settle(() => {
        resolve(entry);
      });
    });
    zip.once('end', () => {
      settle(() => {
        resolve(undefined);
      });
    });
    zip.once('error', (error: Error) => {
      settle(() => {
        reject(error);
      });
    });
    zip.readEntry();
  });
}

function readStream(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) reject(error);
      else resolve(stream);
    });
  });
}
