import type { Demand } from '../recording/demand.js';
import { writeLive } from '../recording/live-graph.js';
import { pairState } from '../recording/pairing.js';
import type { CompiledStep } from '../recording/platform.js';
import type { Precision, StepMode } from '../recording/recorder-setting.js';
import type { Recording } from '../recording/recording.js';
import type { Executables } from './executables.js';
import { Program, type Arithmetic } from './program.js';
import type { Store } from './store.js';

/** A recorded step as one executable, which overwrites the state it replaces. */
export class Step implements CompiledStep {
  readonly #store: Store;
  readonly #executables: Executables;
  readonly #precision: Precision;
  readonly #live: readonly number[];
  readonly #dying: ReadonlySet<number>;
  /** Feeds whose memory a result takes over. */
  readonly #overwritten: readonly number[];
  /** Until it is compiled. */
  #text: string;
  #executable = 0;
  runs = 0;

  constructor(
    store: Store,
    executables: Executables,
    recording: Recording,
    { live, dying }: Demand,
    arithmetic: Arithmetic,
  ) {
    this.#store = store;
    this.#executables = executables;
    this.#precision = arithmetic.precision;
    this.#live = live.map(({ reference }) => reference);
    this.#dying = dying;
    const program = new Program(true, arithmetic);
    for (const { dtype, shape } of recording.feeds) program.placeholder(dtype, shape);
    const { results } = writeLive(program, recording, this.#live);
    const pairs = pairState(recording, live, dying);
    this.#overwritten = pairs.map(({ feed }) => feed);
    this.#text = program.text(results, new Map(pairs.map(({ feed, output }) => [feed, output])));
  }

  fits(demand: Demand, { precision }: StepMode): boolean {
    if (precision !== this.#precision || demand.live.length !== this.#live.length) return false;
    for (let i = 0; i < this.#live.length; i++) if (demand.live[i]!.reference !== this.#live[i]) return false;
    for (const feed of demand.dying) if (!this.#dying.has(feed)) return false;
    return true;
  }

  run(recording: Recording, { live, dying }: Demand): void {
    const { client } = this.#store;
    if (this.#executable === 0) {
      this.#executable = this.#executables.make(this.#text);
      this.#text = '';
    }
    const inputs = recording.feeds.map((feed) => this.#store.handleOf(feed));
    const kept = this.#overwritten.filter((feed) => !dying.has(feed));
    const { buffers, event } = client.execute(this.#executable, inputs, live.length, kept);
    this.runs++;
    live.forEach((value, i) => {
      value.handle = buffers[i]!;
      value.source = undefined;
    });
    this.#store.started(event);
  }

  delete(): void {
    if (this.#executable !== 0) this.#store.client.destroyExecutable(this.#executable);
    this.#executable = 0;
  }
}
