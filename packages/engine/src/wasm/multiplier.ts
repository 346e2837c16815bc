import { webAssembly } from './webassembly.js';
import type { WasmMemory } from './webassembly.js';
import { jobFields, productModule, scratchBytes } from './product.js';
import type { Job } from './product.js';
import { oneThreadBecause } from './platform.js';
import { mostParts, ProductThreads } from './threads.js';
import { tileColumns, tileRows } from './tile.js';

/** Where matrices lie in the heap: the address of the first in bytes, distances in floats. */
export interface Matrices {
  address: number;
  row: number;
  column: number;
  outer?: number;
  inner?: number;
}

/** C [m, n] = A [m, k] B [k, n], `outer` x `inner` times; `accumulate` adds to what C holds. */
export interface ProductShape {
  m: number;
  n: number;
  k: number;
  outer?: number;
  inner?: number;
  accumulate?: boolean;
}

/** Multiply-adds, and multiply-adds for each float copied to and from the threads' memory, under which one thread is faster. */
const threadedWork = 4e6;
const threadedIntensity = 32;

/** Whether wasm multiplies and adds with one rounding here (relaxed SIMD: Node 22 and later, Chromium 114 and later). */
export const fusedMultiplyAdd: boolean = webAssembly.validate(productModule(false, true));

/** Floats between the first and one past the last element of strided matrices. */
function extent(
  { row, column, outer = 0, inner = 0 }: Matrices,
  rows: number,
  columns: number,
  shape: ProductShape,
): number {
  const { outer: outerCount = 1, inner: innerCount = 1 } = shape;
  return (rows - 1) * row + (columns - 1) * column + (outerCount - 1) * outer + (innerCount - 1) * inner + 1;
}

/** One job in bytes. */
function job(a: Matrices, b: Matrices, c: Matrices, shape: ProductShape): Job {
  const { m, n, k, outer = 1, inner = 1, accumulate = false } = shape;
  return {
    ...{ a: a.address, aRow: 4 * a.row, aColumn: 4 * a.column },
    ...{ b: b.address, bRow: 4 * b.row, bColumn: 4 * b.column },
    ...{ c: c.address, cRow: 4 * c.row, m, n, k, accumulate: Number(accumulate), outer, inner },
    ...{ aOuter: 4 * (a.outer ?? 0), bOuter: 4 * (b.outer ?? 0), cOuter: 4 * (c.outer ?? 0) },
    ...{ aInner: 4 * (a.inner ?? 0), bInner: 4 * (b.inner ?? 0), cInner: 4 * (c.inner ?? 0) },
  };
}

/** Equal shares of `total`, each a multiple of `step` but the last: [from, size]. */
function shares(total: number, parts: number, step: number): [number, number][] {
  const size = Math.ceil(total / parts / step) * step;
  const result: [number, number][] = [];
  for (let from = 0; from < total; from += size) result.push([from, Math.min(size, total - from)]);
  return result;
}

/** Splits a job among threads: along the outer batch, else the longer side of C. */
function split(whole: Job, threads: number): Job[] {
  const { m, n, outer } = whole;
  if (outer >= threads)
    return shares(outer, Math.min(outer, 2 * threads, mostParts), 1).map(([from, size]) => ({
      ...{ ...whole, outer: size, a: whole.a + from * whole.aOuter },
      ...{ b: whole.b + from * whole.bOuter, c: whole.c + from * whole.cOuter },
    }));
  if (m >= n)
    return shares(m, threads, tileRows).map(([from, size]) => ({
      ...{ ...whole, m: size, a: whole.a + from * whole.aRow, c: whole.c + from * whole.cRow },
    }));
  return shares(n, threads, tileColumns).map(([from, size]) => ({
    ...{ ...whole, n: size, b: whole.b + from * whole.bColumn, c: whole.c + 4 * from },
  }));
}

/** Matrix products in the memory of the wasm backend; large ones with the help of threads. */
export class Multiplier {
  readonly #products: (job: number, scratch: number) => void;
  readonly #jobAt: number;
  readonly #threads: ProductThreads | undefined;

  /** `allocate` reserves bytes of `memory`, which it keeps for good. */
  constructor(
    readonly memory: WasmMemory,
    allocate: (bytes: number) => number,
    threads?: ProductThreads,
    fused: boolean = fusedMultiplyAdd,
  ) {
    const module = new webAssembly.Module(productModule(false, fused));
    const instance = new webAssembly.Instance(module, { env: { memory } });
    this.#products = instance.exports['products'] as (job: number, scratch: number) => void;
    this.#jobAt = allocate(4 * jobFields.length + scratchBytes) >>> 0;
    this.#threads = threads;
  }

  /**
   * Starts the threads of `new Multiplier` (default: one a processor, at most 8); none for a count of 1 or where the
   * machine allows no threads or no shared memory.
   */
  static async startThreads(
    count?: number,
    fused: boolean = fusedMultiplyAdd,
  ): Promise<ProductThreads | undefined> {
    if (count === 1 || oneThreadBecause() !== undefined) return undefined;
    try {
      const threads = await ProductThreads.start(fused, count);
      return threads.count > 1 ? threads : undefined;
    } catch {
      return undefined;
    }
  }

  /** Computes C; the columns of C must be adjacent (`c.column` 1). */
  run(a: Matrices, b: Matrices, c: Matrices, shape: ProductShape): void {
    const { m, n, k, outer = 1, inner = 1 } = shape;
    if (m === 0 || n === 0 || outer * inner === 0) return;
    if (k === 0) {
      if (shape.accumulate !== true) this.#clear(c, shape);
      return;
    }
    const intensity = (m * n * k) / (m * k + k * n + 2 * m * n);
    if (
      this.#threads !== undefined &&
      m * n * k * outer * inner >= threadedWork &&
      intensity >= threadedIntensity
    ) {
      this.#runThreaded(this.#threads, a, b, c, shape);
      return;
    }
    const words = new Int32Array(this.memory.buffer, this.#jobAt, jobFields.length);
    const whole = job(a, b, c, shape);
    words.set(jobFields.map((field) => whole[field]));
    this.#products(this.#jobAt, this.#jobAt + 4 * jobFields.length);
  }

  /** Sums of nothing. */
  #clear({ address, row, outer = 0, inner = 0 }: Matrices, shape: ProductShape): void {
    const floats = new Float32Array(this.memory.buffer);
    for (let i = 0; i < (shape.outer ?? 1); i++)
      for (let j = 0; j < (shape.inner ?? 1); j++)
        for (let r = 0; r < shape.m; r++) {
          const at = address / 4 + i * outer + j * inner + r * row;
          floats.fill(0, at, at + shape.n);
        }
  }

  #runThreaded(threads: ProductThreads, a: Matrices, b: Matrices, c: Matrices, shape: ProductShape): void {
    const sizes = [
      extent(a, shape.m, shape.k, shape),
      extent(b, shape.k, shape.n, shape),
      extent(c, shape.m, shape.n, shape),
    ] as const;
    const aAt = threads.freeAt;
    const bAt = aAt + 4 * sizes[0];
    const cAt = bAt + 4 * sizes[1];
    threads.reserve(cAt + 4 * sizes[2]);
    const heap = new Float32Array(this.memory.buffer);
    const arena = threads.floats();
    const part = (address: number, size: number): Float32Array =>
      heap.subarray(address / 4, address / 4 + size);
    arena.set(part(a.address, sizes[0]), aAt / 4);
    arena.set(part(b.address, sizes[1]), bAt / 4);
    // Elements between the rows of C come back as they went.
    const dense = c.row === shape.n && (shape.outer ?? 1) * (shape.inner ?? 1) === 1;
    if (shape.accumulate === true || !dense) arena.set(part(c.address, sizes[2]), cAt / 4);
    const at = (matrices: Matrices, address: number): Matrices => ({ ...matrices, address });
    threads.run(split(job(at(a, aAt), at(b, bAt), at(c, cAt), shape), threads.count));
    heap.set(arena.subarray(cAt / 4, cAt / 4 + sizes[2]), c.address / 4);
  }

  /** Ends the threads. */
  async stop(): Promise<void> {
    await this.#threads?.stop();
  }
}
