import { HypetuneError } from '@hypetune/core';
import { note, type Terminal } from './terminal.js';

/** Two signals within this many milliseconds are one: a terminal and a parent process may both pass Ctrl-C on. */
const ONE_PRESS = 400;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** What is thrown where a signal comes before there is anything to save. */
export class Interrupted extends HypetuneError {
  override readonly name = 'Interrupted';
}

export interface Interrupt {
  readonly signal: AbortSignal;
  /** Says something else from now on. */
  say(what: string): void;
  /** Leaves the process's signals alone again. */
  release(): void;
}

/**
 * The first SIGINT asks the run to end with what it has; a second one kills. SIGTERM asks as well, and SIGHUP, which a
 * closed terminal sends. `what` is said then.
 */
export function onInterrupt(
  terminal: Terminal,
  what = 'stopping after this step, with what there is',
): Interrupt {
  const controller = new AbortController();
  let first = 0;
  let said = what;
  const listener = (): void => {
    if (!controller.signal.aborted) {
      first = Date.now();
      controller.abort(new Interrupted('stopped before there was anything to save.'));
      note(terminal, `\n${said} (once more to kill)`);
    } else if (Date.now() - first > ONE_PRESS) process.exit(130);
  };
  for (const name of SIGNALS) process.on(name, listener);
  return {
    signal: controller.signal,
    say: (now) => {
      said = now;
    },
    release: () => {
      for (const name of SIGNALS) process.off(name, listener);
    },
  };
}
