import { TF_BFLOAT16, sizeOf } from '../recording/data-types.js';
import type { Node } from '../recording/platform.js';
import type { Unit } from './partition.js';
import { keyOf, type Sheet } from './sheet.js';

/** Elements from which on rounding a value anew at each step costs something. */
const WORTH_KEEPING = 2 ** 14;

/**
 * Feeds, among these places, of which a step wants nothing but their rounding to bfloat16, as of weights that it does not train: by
 * place that rounding, a unit of its own. It can be kept from one step to the next.
 */
export function roundedFeeds(
  sheet: Sheet,
  units: readonly Unit[],
  results: readonly Node[],
  places: readonly number[],
): Map<number, Node> {
  const uses = new Map(places.map((place) => [keyOf(sheet.feed(place)), [] as Unit[]]));
  for (const unit of units)
    for (const line of unit.lines) for (const input of line.inputs) uses.get(keyOf(input))?.push(unit);
  for (const result of results) uses.delete(keyOf(result));
  const rounded = new Map<number, Node>();
  for (const place of places) {
    const [unit, ...others] = uses.get(keyOf(sheet.feed(place))) ?? [];
    if (unit?.lines.length !== 1 || others.length > 0) continue;
    const { name, outputs } = unit.lines[0]!;
    const [result] = outputs as [Node];
    if (name === 'Cast' && result.dtype === TF_BFLOAT16 && sizeOf(result.shape!) >= WORTH_KEEPING)
      rounded.set(place, result);
  }
  return rounded;
}
