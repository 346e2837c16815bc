import { isState } from './pairing.js';
import type { Recording } from './recording.js';
import type { Value } from './value.js';

/** What a recording needs of its function: the results that live on, and the state among its feeds that dies. */
export interface Demand {
  readonly live: readonly Value[];
  readonly dying: ReadonlySet<number>;
}

/** What lives on at the end of a recording. */
export function demandOf(recording: Recording): Demand {
  const live: Value[] = [];
  for (const { outputs } of recording.operations) {
    for (const output of outputs) if (output.alive || output.holds > 0) live.push(output);
  }
  const dying = new Set<number>();
  recording.feeds.forEach((feed, i) => {
    if (!feed.alive && feed.holds === 0 && isState(feed)) dying.add(i);
  });
  return { live, dying };
}
