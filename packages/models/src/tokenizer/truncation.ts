/** Which end loses tokens. */
export type Side = 'left' | 'right';

/** Keeps `length` items of a list. */
export function cut<T>(items: readonly T[], length: number, side: Side): readonly T[] {
  if (items.length <= length) return items;
  return side === 'right' ? items.slice(0, length) : items.slice(items.length - length);
}

/**
 * The lengths that two texts keep so that they hold `room` together (`longest_first`): the longer one loses tokens until
 * both are equally long, then both do; the odd token stays with the longer, or with the second.
 */
export function longestFirst(first: number, second: number, room: number): [number, number] {
  if (first + second <= room) return [first, second];
  const swapped = first > second;
  let [shorter, longer] = swapped ? [second, first] : [first, second];
  longer = shorter > room ? shorter : Math.max(shorter, room - shorter);
  if (shorter + longer > room) {
    shorter = Math.floor(room / 2);
    longer = room - shorter;
  }
  return swapped ? [longer, shorter] : [shorter, longer];
}
