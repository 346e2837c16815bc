import { TF_BFLOAT16, sizeOf } from '../recording/data-types.js';
import type { Node } from '../recording/platform.js';
import type { Unit } from './partition.js';
import { keyOf, type Line, type Sheet } from './sheet.js';

/** Elements from which on rounding a value anew at each step costs something. */
const WORTH_KEEPING = 2 ** 14;

/**
 * Values from outside of which a step wants nothing but their rounding to bfloat16, as of weights that it does not train: by place
 * that rounding. It can be kept from one step to the next.
 */
export function roundedFeeds(
  sheet: Sheet,
  units: readonly Unit[],
  results: readonly Node[],
  places: readonly number[],
): Map<number, Node> {
  const uses = new Map<string, Line[]>();
  for (const { lines } of units)
    for (const line of lines)
      for (const input of line.inputs) uses.set(keyOf(input), [...(uses.get(keyOf(input)) ?? []), line]);
  const wanted = new Set(results.map(keyOf));
  const rounded = new Map<number, Node>();
  for (const place of places) {
    const feed = sheet.feed(place);
    const [use, ...others] = uses.get(keyOf(feed)) ?? [];
    if (use === undefined || others.length > 0 || wanted.has(keyOf(feed))) continue;
    const [result] = use.outputs as [Node];
    if (use.name === 'Cast' && result.dtype === TF_BFLOAT16 && sizeOf(result.shape!) >= WORTH_KEEPING)
      rounded.set(place, result);
  }
  return rounded;
}
