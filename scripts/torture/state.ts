import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Outcome, Part } from './part.js';

/** What the trials of a part have shown so far. */
export interface PartState {
  /** The trials with numbers below have been run. */
  trials: number;
  kinds: Record<string, number>;
  /** By the number of the trial. */
  faults: Record<string, readonly string[]>;
  /** Trials that failed once and pass now. */
  mended: number;
  figures: Record<string, { readonly first: number; readonly last: number; readonly most: number }>;
  seconds: number;
  /** Why the part did not run, the last time. */
  skipped?: string;
}

/** The state of a part that is kept in a file, written whole or not at all. */
export class StateFile {
  readonly state: PartState;

  constructor(readonly file: string) {
    this.state = existsSync(file)
      ? (JSON.parse(readFileSync(file, 'utf8')) as PartState)
      : { trials: 0, kinds: {}, faults: {}, mended: 0, figures: {}, seconds: 0 };
  }

  /** Adds the next trial. */
  add(trial: number, { kinds, faults = [], figures = {} }: Outcome): void {
    const { state } = this;
    state.trials = trial + 1;
    for (const [kind, count] of Object.entries(kinds)) state.kinds[kind] = (state.kinds[kind] ?? 0) + count;
    if (faults.length > 0) state.faults[trial] = faults;
    for (const [name, value] of Object.entries(figures)) {
      const { first = value, most = value } = state.figures[name] ?? {};
      state.figures[name] = { first, last: value, most: Math.max(most, value) };
    }
  }

  /** Notes what a trial that had failed shows now. */
  again(trial: string, { faults = [] }: Outcome): void {
    if (faults.length > 0) {
      this.state.faults[trial] = faults;
      return;
    }
    this.state.faults = Object.fromEntries(
      Object.entries(this.state.faults).filter(([other]) => other !== trial),
    );
    this.state.mended += 1;
  }

  save(): void {
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(`${this.file}.new`, `${JSON.stringify(this.state, null, 1)}\n`);
    renameSync(`${this.file}.new`, this.file);
  }
}

/** A part's line for people. */
export function lineOf(part: Part, state: PartState): string {
  const { unit, size = 1, goal } = part;
  const kinds = Object.entries(state.kinds).map(([kind, count]) => `${kind} ${count}`);
  const faults = Object.keys(state.faults).length;
  const done = `${state.trials * size} of ${goal} ${unit}, ${faults} faults`;
  const skipped = state.skipped === undefined ? '' : `; not run: ${state.skipped}`;
  return `${part.name}: ${done}, ${Math.round(state.seconds)} s${skipped} (${kinds.join(', ')})`;
}
