/** Share of the pairs of a predicted and a true class that agree. */
export function accuracy(pairs: readonly (readonly [number, number])[]): number {
  return pairs.filter(([predicted, label]) => predicted === label).length / pairs.length;
}

/**
 * Matthews' correlation, for any number of classes (Gorodkin, 2004): with c right out of s pairs, t_k of true class k and
 * p_k predictions of it, `(c s - sum t_k p_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2))`.
 * 0 where labels or predictions are all one class.
 */
export function matthews(pairs: readonly (readonly [number, number])[]): number {
  const size = pairs.length;
  const right = pairs.filter(([predicted, label]) => predicted === label).length;
  const [predicted, present] = [new Map<number, number>(), new Map<number, number>()];
  for (const [p, t] of pairs) {
    predicted.set(p, (predicted.get(p) ?? 0) + 1);
    present.set(t, (present.get(t) ?? 0) + 1);
  }
  const squares = (counts: Map<number, number>): number =>
    [...counts.values()].reduce((sum, count) => sum + count * count, 0);
  const both = [...present].reduce((sum, [k, count]) => sum + count * (predicted.get(k) ?? 0), 0);
  const scale = Math.sqrt((size * size - squares(predicted)) * (size * size - squares(present)));
  return scale > 0 ? (right * size - both) / scale : 0;
}
