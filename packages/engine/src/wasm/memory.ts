import type { WasmBackend } from './heap.js';

/** The memory of a wasm program has 32-bit addresses. */
const MOST = 4;

/**
 * Makes the backend say so when its memory is full. As shipped it takes the address 0 that its allocator then gives for
 * a good one, and overwrites what lies there.
 */
export function watchMemory({ wasm }: Pick<WasmBackend, 'wasm'>): void {
  // The program's own function: the stock `_malloc` puts it in its place when it is first called.
  const { malloc } = wasm.asm;
  wasm._malloc = (bytes) => {
    // Beyond 32 bits the allocator would see a smaller number.
    const address = bytes < 2 ** 32 ? malloc(bytes) : 0;
    if (address !== 0 || bytes === 0) return address;
    const used = wasm.asm.memory.buffer.byteLength;
    throw new Error(
      `The wasm engine is out of memory: a tensor of ${megabytes(bytes)} does not fit into its ${megabytes(used)}, ` +
        `of which it can have ${MOST} GB at most. Use smaller batches (batchSize, with accumulate to make up for it), ` +
        'shorter rows, fewer tensors kept, or the native engine ("hypetune engine install").',
    );
  };
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
