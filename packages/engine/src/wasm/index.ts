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
import { fusedMultiplyAdd, Multiplier } from './multiplier.js';
import { installedFile, isNode } from './platform.js';
import { registerLinear, registerProducts } from './products.js';
import { registerCopies, registerReductions } from './reductions.js';

/** How to run the wasm engine. */
export interface WasmOptions {
  /**
   * Threads that multiply matrices, this one included. Default: one a processor, at most 8. In a browser it is one unless the page
   * is cross-origin isolated and this runs in a worker.
   */
  threads?: number;
  /**
   * In a browser: the address of the folder with the `.wasm` files of `@tensorflow/tfjs-backend-wasm` (its `wasm-out`), with a slash at the end.
   * Default: beside the script.
   */
  binaries?: string;
  /**
   * Multiply and add with one rounding, which is faster. Default: where the machine can (Node.js 22, Chromium 114); `false` gives
   * the same bits everywhere.
   */
  fused?: boolean;
}

let active: WasmBackend | undefined;
let threadCount = 1;

/**
 * Makes 'wasm' tfjs's backend, with kernels that make training fast and complete. The binaries are those of the installed
 * @tensorflow/tfjs-backend-wasm, in a browser those in `binaries`: nothing else is fetched. Returns the number of threads.
 */
export async function useWasm(options: WasmOptions = {}): Promise<number> {
  if (active === undefined) {
    const { binaries = isNode ? installedBinaries() : undefined } = options;
    if (binaries !== undefined) setWasmPaths(binaries);
    // Its own threads are no help: what takes time are the products, which have threads of ours.
    tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
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
  const fused = fusedMultiplyAdd && options.fused !== false;
  const threads = await Multiplier.startThreads(options.threads, fused);
  const { memory } = backend.wasm.asm;
  const allocate = (bytes: number): number => backend.wasm._malloc(bytes);
  const multiplier = new Multiplier(memory, allocate, threads, fused);
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

/** The folder of the binaries, with a slash at the end. */
const installedBinaries = (): string =>
  installedFile('@tensorflow/tfjs-backend-wasm').replace(/dist[\\/][^\\/]*$/, 'wasm-out/');

/** The wasm binary's loader takes over uncaught errors and prints its whole source with them; this undoes that. */
function keepListeners(): () => void {
  if (!isNode) return () => undefined;
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => new Set(process.rawListeners(event)));
  return () => {
    events.forEach((event, index) => {
      for (const listener of process.rawListeners(event))
        if (!before[index]!.has(listener)) process.removeListener(event, listener as () => void);
    });
  };
}
