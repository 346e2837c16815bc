import { TF_FLOAT, sizeOf } from './data-types.js';
import type { Value } from './value.js';
import type { Recording } from './recording.js';
import { sameShape } from './trie.js';

/** A result that takes over the memory of a feed: positions in the recording's feeds and in the list of live results. */
export interface Pair {
  readonly feed: number;
  readonly output: number;
}

/** Elements below which updating in place gains nothing. */
const SMALLEST = 32;
/** Operations to look back from a result for the state it replaces. */
const DEPTH = 12;

/** Whether a feed that dies in the step is worth being overwritten in place. */
export function isState(value: Value): boolean {
  return value.dtype === TF_FLOAT && sizeOf(value.shape) >= SMALLEST;
}

/**
 * Finds for the live results of a step the dying feeds that they replace, such as a weight and its update: the nearest
 * such feed of the same shape among the operations that compute the result, the closest pairs first.
 */
export function pairState(recording: Recording, live: readonly Value[], dying: ReadonlySet<number>): Pair[] {
  const producers = new Map<Value, { inputs: readonly Value[]; replaced: Value | undefined }>();
  for (const { entry, inputs, outputs } of recording.operations) {
    outputs.forEach((output, i) => {
      const replaced = entry.kernel?.replaces?.[i];
      producers.set(output, { inputs, replaced: replaced === undefined ? undefined : inputs[replaced] });
    });
  }
  const candidates: (Pair & { distance: number })[] = [];
  live.forEach((result, output) => {
    if (result.dtype !== TF_FLOAT) return;
    const seen = new Set<Value>([result]);
    let front: Value[] = [result];
    for (let distance = 0; distance <= DEPTH && front.length > 0; distance++) {
      const next: Value[] = [];
      for (const value of front) {
        const feed = -value.reference - 1;
        if (value.reference < 0 && dying.has(feed)) candidates.push({ feed, output, distance });
        const producer = producers.get(value);
        if (producer === undefined) continue;
        const inputs = producer.replaced === undefined ? producer.inputs : [producer.replaced];
        for (const input of inputs) {
          if (seen.has(input) || !sameShape(input.shape, result.shape)) continue;
          seen.add(input);
          next.push(input);
        }
      }
      front = next;
    }
  });
  candidates.sort((a, b) => a.distance - b.distance);
  const feeds = new Set<number>();
  const outputs = new Set<number>();
  return candidates.filter(({ feed, output }) => {
    if (feeds.has(feed) || outputs.has(output)) return false;
    feeds.add(feed);
    outputs.add(output);
    return true;
  });
}
