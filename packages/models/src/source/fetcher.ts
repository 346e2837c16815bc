import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Staging } from './cache.js';
import type { Source } from './source-name.js';

/** How far a download is, in bytes; `total` where it is known. */
export interface SourceProgress {
  readonly source: string;
  readonly bytes: number;
  readonly total?: number;
}

/** What a fetcher works with. */
export interface FetchContext {
  readonly source: Exclude<Source, { kind: 'file' }>;
  /** The version to fetch; `undefined` for the newest. */
  readonly version: string | undefined;
  readonly staging: Staging;
  readonly signal: AbortSignal | undefined;
  /** Each way tried and how it failed; a fetcher adds a line before it gives up. */
  readonly tried: string[];
  readonly report: (bytes: number, total?: number) => void;
}

/** Downloads a source into `staging.scratch`; the path of its archive, or `undefined` where `tried` says why not. */
export type ArchiveFetcher = (context: FetchContext) => Promise<string | undefined>;

const POLL_MILLISECONDS = 200;

/** Runs a download by another program, reporting how the folder it writes to grows. */
export async function whileGrowing<T>(
  folder: string,
  report: (bytes: number) => void,
  run: () => Promise<T>,
): Promise<T> {
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    void folderBytes(folder)
      .then(report, () => undefined) // files come and go while they are counted
      .finally(() => (busy = false));
  }, POLL_MILLISECONDS);
  try {
    return await run();
  } finally {
    clearInterval(timer);
  }
}

async function folderBytes(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  let bytes = 0;
  for (const entry of entries) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}
