import { foldIn, type Key } from '@hypetune/ops';

/** An endless row of numbers in (0, 1), a function of the key; drawn on the host. */
function uniforms(key: Key): () => number {
  let drawn = 0;
  return () => (foldIn(key, drawn++)[0] + 0.5) / 2 ** 32;
}

/** Gamma(shape, 1) after Marsaglia and Tsang (2000); below shape 1 by `Gamma(shape + 1) * u^(1 / shape)`. */
function gamma(shape: number, next: () => number): number {
  if (shape < 1) return gamma(shape + 1, next) * next() ** (1 / shape);
  const d = shape - 1 / 3;
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
    const v = (1 + normal / Math.sqrt(9 * d)) ** 3;
    if (v > 0 && Math.log(next()) < normal ** 2 / 2 + d * (1 - v + Math.log(v))) return d * v;
  }
}

/** The share that a row keeps of itself: `max(u, 1 - u)`, u from `Beta(alpha, alpha)`; a half to 1. */
export function drawShare(alpha: number, key: Key): number {
  const drawn = drawBeta(alpha, key);
  return Math.max(drawn, 1 - drawn);
}

/** `Beta(alpha, alpha)`, a number from 0 to 1. */
export function drawBeta(alpha: number, key: Key): number {
  const next = uniforms(key);
  const [a, b] = [gamma(alpha, next), gamma(alpha, next)];
  return a + b > 0 ? a / (a + b) : 1;
}

/** A random order of `0 .. size - 1` (Fisher and Yates). */
export function drawOrder(size: number, key: Key): number[] {
  const next = uniforms(key);
  const order = Array.from({ length: size }, (_, row) => row);
  for (let last = size - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1));
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}

/**
 * A partner for every row of a batch, given where each row stands in the data set. Rows that only fill the batch repeat an
 * index and are their own partners, so that the others' partners do not depend on how far an engine fills batches.
 */
export function drawPartners(indices: readonly number[], key: Key): number[] {
  const rows = new Set(indices).size;
  return [...drawOrder(rows, key), ...indices.slice(rows).map((_, place) => rows + place)];
}
