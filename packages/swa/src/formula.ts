/**
 * Weight that the weights after an update get in the average, `since` updates after its start: all of it until the start,
 * then `1 / (n + 1)` at every n-th multiple of `every`, else none.
 */
export function shareAt(since: number, every: number): number {
  if (since <= 0) return 1;
  return since % every === 0 ? 1 / (since / every + 1) : 0;
}

/** The rate `since >= 1` updates after the start: `(1 - t) peak + t low`, t = ((since - 1) mod every + 1) / every. */
export function cyclicRate(since: number, every: number, peak: number, low: number): number {
  const place = (((since - 1) % every) + 1) / every;
  return (1 - place) * peak + place * low;
}
