/** What is Node.js's on one side and the browser's on the other. No module of Node.js is imported, so that bundles load this. */
import type { Worker as NodeWorker } from 'node:worker_threads';

/** The part of a browser's worker that is used here; its types come with the DOM's, which Node projects do not load. */
interface WebWorker {
  postMessage(data: object): void;
  terminate(): void;
  onmessage: () => void;
  onerror: (event: { readonly message?: string }) => void;
}

const browser = globalThis as unknown as {
  readonly Worker: new (url: string) => WebWorker;
  readonly Blob: new (parts: readonly string[], options: { type: string }) => object;
  readonly URL: { createObjectURL(blob: object): string; revokeObjectURL(url: string): void };
  readonly navigator: { readonly hardwareConcurrency?: number };
  readonly crossOriginIsolated?: boolean;
  readonly importScripts?: unknown;
};

/** Whether this is Node.js. */
export const isNode: boolean =
  typeof process === 'object' && typeof process.getBuiltinModule === 'function' && !!process.versions.node;

/** Processors that threads may take. */
export function processors(): number {
  return isNode
    ? process.getBuiltinModule('node:os').availableParallelism()
    : (browser.navigator.hardwareConcurrency ?? 1);
}

/**
 * Why there can be one thread alone; undefined where there can be more. A browser shares memory on isolated pages only (headers
 * `Cross-Origin-Opener-Policy: same-origin`, `Cross-Origin-Embedder-Policy: require-corp`), and lets workers alone wait for each other.
 */
export function oneThreadBecause(): string | undefined {
  if (isNode) return undefined;
  if (browser.crossOriginIsolated !== true) return 'the page is not cross-origin isolated';
  return typeof browser.importScripts === 'function' ? undefined : 'it does not run in a worker';
}

/** Where an installed package's file is that a program without a bundler loads. */
export function installedFile(name: string): string {
  return process
    .getBuiltinModule('node:module')
    .createRequire(import.meta.url)
    .resolve(name);
}

/** A thread that runs the text of a function `(data, ready) => void` until it is stopped. */
export interface Thread {
  stop(): Promise<unknown>;
}

/** Starts a thread and waits until it calls `ready`. */
export function startThread(source: string, data: object): Promise<Thread> {
  return isNode ? startNodeThread(source, data) : startWebThread(source, data);
}

async function startNodeThread(source: string, workerData: object): Promise<Thread> {
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const program = `const { parentPort, workerData } = require('node:worker_threads'); (${source})(workerData, () => parentPort.postMessage(0));`;
  const worker: NodeWorker = new Worker(program, { eval: true, workerData, execArgv: [] });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => {
      resolve();
    });
    worker.once('error', reject);
  });
  worker.unref();
  return { stop: () => worker.terminate() };
}

async function startWebThread(source: string, data: object): Promise<Thread> {
  const program = `onmessage = ({ data }) => (${source})(data, () => postMessage(0));`;
  const url = browser.URL.createObjectURL(new browser.Blob([program], { type: 'text/javascript' }));
  try {
    const worker = new browser.Worker(url);
    await new Promise<void>((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = ({ message = 'the page allows no such worker' }) => {
        reject(new Error(message));
      };
      worker.postMessage(data);
    });
    return {
      stop: () => {
        worker.terminate();
        return Promise.resolve();
      },
    };
  } finally {
    browser.URL.revokeObjectURL(url);
  }
}
