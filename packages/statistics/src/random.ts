/** Numbers of [0, 1), one a call. */
export type Random = () => number;

/** The same numbers for the same seed, on every machine (PCG-style hash of a counter, 32 bits a number). */
export function seeded(seed: number): Random {
  let state = hash(Math.imul(seed | 0, 0x9e3779b1) ^ 0x85ebca6b);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    return (hash(state) >>> 0) / 2 ** 32;
  };
}

function hash(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}

/** A whole number of 0 to `count - 1`. */
export function pick(random: Random, count: number): number {
  return Math.floor(random() * count);
}
