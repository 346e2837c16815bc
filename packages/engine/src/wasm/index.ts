import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { registerAttention } from './attention.js';
import { registerMissingKernels } from '../bridge.js';
import { registerCorrections } from './corrections.js';
import { registerElementwise } from './elementwise.js';
import { Heap } from './heap.js';
import type { WasmBackend } from './heap.js';
import { laneKernels } from './lane-kernels.js';
import { LaneUnit } from './lanes.js';
import { watchMemory } from './memory.js';
import { Multiplier } from './multiplier.js';
import { registerLinear, registerProducts } from './products.js';
import { registerCopies, registerReductions } from './reductions.js';

/** How to run the wasm engine. */
export interface WasmOptions {
  /** Threads that multiply matrices, this one included. Default: one a processor, at most 8. */
  threads?: number;
}

let active: WasmBackend | undefined;
let threadCount = 1;

/**
 * Makes 'wasm' tfjs's backend, with kernels that make training fast and complete. The binaries are those of the installed
 * @tensorflow/tfjs-backend-wasm: nothing is fetched. Returns the number of threads.
 */
export async function useWasm(options: WasmOptions = {}): Promise<number> {
  if (active === undefined) {
    const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
    setWasmPaths(join(dirname(dirname(main)), 'wasm-out') + sep);
  }
  const restore = keepListeners();
  try {
    if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend does not start on this machine');
    await tf.ready();
  } finally {
    restore();
  }
  const backend = tf.backend() as WasmBackend;
  if (backend === active) return threadCount;
  watchMemory(backend);
  const threads = await Multiplier.startThreads(options.threads);
  const { memory } = backend.wasm.asm;
  const allocate = (bytes: number): number => backend.wasm._malloc(bytes);
  const multiplier = new Multiplier(memory, allocate, threads);
  const heap = new Heap(backend, multiplier, new LaneUnit(memory, allocate, laneKernels));
  registerProducts(heap);
  registerCopies(heap);
  registerReductions(heap);
  registerLinear(heap);
  registerAttention(heap);
  registerElementwise(heap);
  registerCorrections(heap);
  registerMissingKernels('wasm', backend);
  active = backend;
  threadCount = threads?.count ?? 1;
  return threadCount;
}

/** The wasm binary's loader takes over uncaught errors and prints its whole source with them; this undoes that. */
function keepListeners(): () => void {
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => new Set(process.rawListeners(event)));
  return () => {
    events.forEach((event, index) => {
      for (const listener of process.rawListeners(event))
        if (!before[index]!.has(listener)) process.removeListener(event, listener as () => void);
    });
  };
}
