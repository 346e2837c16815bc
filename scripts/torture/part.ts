/** A series of numbered trials: the same number is the same trial, so what failed can be run again. */
export interface Part {
  readonly name: string;
  /** What a trial does and what is a fault, for the page. */
  readonly summary: string;
  /** What is counted, in the plural. */
  readonly unit: string;
  /** How many of them a trial holds. Default 1. */
  readonly size?: number;
  /** How many of them there are to be in all. */
  readonly goal: number;
  /** Gets ready, with a folder of the part's own that stays from call to call. Throws `Skipped` where the machine lacks something. */
  open(folder: string): Promise<Trials>;
}

export interface Trials {
  run(trial: number): Promise<Outcome>;
  close?(): Promise<void> | void;
}

export interface Outcome {
  /** How many of the trial's units were of which kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** What was wrong; one line each. */
  readonly faults?: readonly string[];
  /** What was measured; the first, the last and the largest value of each are kept. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** Says why a part cannot run on this machine. */
export class Skipped extends Error {
  override readonly name = 'Skipped';
}

/** Numbers that look random and are the same for the same seeds. */
export class Draws {
  #state: number;
  readonly #seeds: readonly number[];

  constructor(...seeds: readonly number[]) {
    this.#seeds = seeds;
    this.#state = seeds.reduce((state, seed) => mixed(state ^ seed), 0x9e3779b9);
  }

  /** The same numbers from the start. */
  again(): Draws {
    return new Draws(...this.#seeds);
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    return mixed(this.#state) / 2 ** 32;
  }

  /** An integer in [0, end). */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

function mixed(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** The message of an error with its class, on one line. */
export function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.constructor.name}: ${error.message}`.replace(/\s+/g, ' ').slice(0, 300);
}
