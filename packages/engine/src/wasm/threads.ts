import { webAssembly } from './webassembly.js';
import { jobFields, productModule, scratchBytes } from './product.js';
import type { Job } from './product.js';
import { processors, startThread, type Thread } from './platform.js';

/** Control words at the start of the shared memory: parts left to take, parts done, rounds begun. */
const remaining = 0;
const done = 1;
const rounds = 2;
const jobsAt = 64;
export const mostParts = 64;
const scratchAt: number = jobsAt + mostParts * 4 * jobFields.length;
const pageBytes = 65536;
const waitMilliseconds = 60_000;

/** What each thread runs: sleep until a round begins, take parts until none is left. */
const threadSource = `({ memory, module, jobs, jobBytes, scratch }, ready) => {
const { products } = new WebAssembly.Instance(module, { env: { memory } }).exports;
const control = new Int32Array(memory.buffer, 0, 16);
let round = Atomics.load(control, ${rounds});
ready();
for (;;) {
  Atomics.wait(control, ${rounds}, round);
  round = Atomics.load(control, ${rounds});
  for (let part; (part = Atomics.sub(control, ${remaining}, 1)) > 0; ) {
    products(jobs + (part - 1) * jobBytes, scratch);
    Atomics.add(control, ${done}, 1);
    Atomics.notify(control, ${done});
  }
}
}`;

type Products = (job: number, scratch: number) => void;

/** Threads that share one memory (the arena) and compute matrix products in it together with the calling thread. */
export class ProductThreads {
  readonly #memory = new webAssembly.Memory({ initial: 256, maximum: 65536, shared: true });
  readonly #control = new Int32Array(this.#memory.buffer, 0, 16);
  readonly #products: Products;
  readonly #module: object;
  #threads: readonly Thread[] = [];
  /** First byte of the arena free for operands. */
  readonly freeAt: number;

  private constructor(
    readonly count: number,
    fused: boolean,
  ) {
    const module = new webAssembly.Module(productModule(true, fused));
    const instance = new webAssembly.Instance(module, { env: { memory: this.#memory } });
    this.#products = instance.exports['products'] as Products;
    this.freeAt = Math.ceil((scratchAt + count * scratchBytes) / 64) * 64;
    this.reserve(this.freeAt);
    this.#module = module;
  }

  /** Starts `wanted` - 1 threads (default: one a processor, at most 8; never more than 64 in all) and waits until they listen. */
  static async start(fused: boolean, wanted: number = Math.min(processors(), 8)): Promise<ProductThreads> {
    const count = Math.min(wanted, mostParts);
    const threads = new ProductThreads(count, fused);
    threads.#threads = await Promise.all(
      Array.from({ length: count - 1 }, (_, index) =>
        startThread(threadSource, {
          ...{ memory: threads.#memory, module: threads.#module },
          ...{ jobs: jobsAt, jobBytes: 4 * jobFields.length },
          scratch: scratchAt + (index + 1) * scratchBytes,
        }),
      ),
    );
    return threads;
  }

  /** Makes the arena at least this many bytes large. */
  reserve(bytes: number): void {
    const missing = bytes - this.#memory.buffer.byteLength;
    if (missing > 0) this.#memory.grow(Math.ceil(missing / pageBytes));
  }

  /** The arena as floats. */
  floats(): Float32Array {
    return new Float32Array(this.#memory.buffer);
  }

  /** Runs up to 64 jobs at once, this thread taking part, and returns when all are done. */
  run(jobs: readonly Job[]): void {
    if (jobs.length > mostParts)
      throw new RangeError(`at most ${mostParts} jobs a round, got ${jobs.length}`);
    const words = new Int32Array(this.#memory.buffer, jobsAt, jobs.length * jobFields.length);
    jobs.forEach((job, index) => {
      words.set(
        jobFields.map((field) => job[field]),
        index * jobFields.length,
      );
    });
    const control = this.#control;
    Atomics.store(control, done, 0);
    Atomics.store(control, remaining, jobs.length);
    Atomics.add(control, rounds, 1);
    Atomics.notify(control, rounds);
    for (let part; (part = Atomics.sub(control, remaining, 1)) > 0;) {
      this.#products(jobsAt + (part - 1) * 4 * jobFields.length, scratchAt);
      Atomics.add(control, done, 1);
    }
    for (let ready; (ready = Atomics.load(control, done)) < jobs.length;)
      if (Atomics.wait(control, done, ready, waitMilliseconds) === 'timed-out')
        throw new Error(
          `wasm: a thread did not finish its part of a product in ${waitMilliseconds / 1000} s; set threads: 1`,
        );
  }

  /** Ends the threads. */
  async stop(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.stop()));
  }
}
