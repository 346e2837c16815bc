import { constants } from 'node:os';
import koffi from 'koffi';

/** Bytes that hold a sigset_t on every system. */
const SET_BYTES = 128;

type MaskCall = (how: number, set: Uint8Array, old: Uint8Array | null) => number;

/**
 * Keeps signals away from TensorFlow's code: oneDNN's matrix products let the stack pointer point into their work space for
 * a while, and a signal handler that runs then overwrites the heap (Ctrl-C, a resized terminal, a profiler). Threads that
 * are started meanwhile keep them away for good; signals wait, or go to a thread of Node.
 */
export class SignalShield {
  readonly #mask: MaskCall | undefined;
  readonly #blocked = new Uint8Array(SET_BYTES);
  readonly #before = new Uint8Array(SET_BYTES);
  readonly #how: number = process.platform === 'darwin' ? 3 : 2;

  constructor() {
    if (process.platform === 'win32') return;
    const c = koffi.load(null);
    this.#mask = c.func('pthread_sigmask', 'int', ['int', 'void *', 'void *']) as MaskCall;
    const fill = c.func('sigfillset', 'int', ['void *']) as (set: Uint8Array) => number;
    const remove = c.func('sigdelset', 'int', ['void *', 'int']) as (
      set: Uint8Array,
      signal: number,
    ) => number;
    fill(this.#blocked);
    const { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT } = constants.signals;
    for (const signal of [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT]) remove(this.#blocked, signal);
  }

  raise(): void {
    this.#mask?.(this.#how, this.#blocked, this.#before);
  }

  lower(): void {
    this.#mask?.(this.#how, this.#before, null);
  }
}
