import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { HypetuneError } from '@hypetune/core';

/** What a Parquet file holds. */
export interface ParquetContent {
  readonly rows: readonly unknown[];
  readonly metadata: readonly { readonly key: string; readonly value?: string }[];
}

/**
 * What runs in the thread: JavaScript as it stands, since no compiler is there. A search for maps is left out, which does not end on
 * some damaged schemas. Columns that were begun before another one failed get nothing: nobody would catch their own errors.
 */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const { brotliDecompressSync, gunzipSync } = require('node:zlib');
const compressors = { GZIP: (part) => gunzipSync(part), BROTLI: (part) => brotliDecompressSync(part) };
const library = import(workerData);
parentPort.on('message', async (content) => {
  const { parquetMetadata, parquetReadObjects } = await library;
  let failed = false;
  const slice = (start, end) =>
    new Promise((resolve) => setImmediate(() => failed || resolve(content.slice(start, end))));
  try {
    const file = { byteLength: content.byteLength, slice };
    const rows = await parquetReadObjects({ file, geoparquet: false, compressors });
    const { key_value_metadata: metadata = [] } = parquetMetadata(content);
    parentPort.postMessage({ rows, metadata });
  } catch (error) {
    failed = true;
    parentPort.postMessage({ message: String(error?.message ?? error) });
  }
});
`;

let thread: Worker | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * Reads a Parquet file in a thread of its own: what is damaged can be such that reading it does not end, and nothing else would end it. Throws
 * the reader's error, or one that says so after `seconds` (default: ten, and one for each MB).
 */
export function readParquet(
  content: ArrayBuffer,
  seconds: number = 10 + content.byteLength / 1e6,
): Promise<ParquetContent> {
  const read = last.then(() => readNow(content, seconds));
  last = read.catch(() => undefined);
  return read;
}

async function readNow(content: ArrayBuffer, seconds: number): Promise<ParquetContent> {
  thread ??= new Worker(PROGRAM, { eval: true, workerData: import.meta.resolve('hyparquet') });
  const reader = thread;
  reader.ref();
  const over = new AbortController();
  const clock = setTimeout(() => {
    over.abort();
  }, seconds * 1000);
  try {
    reader.postMessage(content);
    const [answer] = (await once(reader, 'message', { signal: over.signal })) as [
      ParquetContent | { readonly message: string },
    ];
    if ('message' in answer) throw new HypetuneError(answer.message);
    return answer;
  } catch (error) {
    if (!(error instanceof HypetuneError)) {
      thread = undefined;
      await reader.terminate();
    }
    if (over.signal.aborted)
      throw new HypetuneError(`reading it did not end within ${Math.ceil(seconds)} s, it is damaged`);
    throw error;
  } finally {
    clearTimeout(clock);
    reader.unref();
  }
}
