/** A key of the generator: two unsigned 32-bit integers. Every draw is a pure function of its key and the element's index. */
export type Key = readonly [number, number];

/**
 * Rounds of the generator. Salmon et al. found 13 to be the fewest that pass every BigCrush test, for any keys and
 * counters; JAX and Random123 add a margin (20) that noise and dropout do not need and that costs half as much again.
 */
export const rounds = 13;

/** Rotations of the eight rounds in turn, and the constant of the third key word (Salmon et al. 2011, table 2). */
export const rotations: readonly number[] = [13, 15, 26, 6, 17, 29, 16, 24];
export const parity = 0x1bd11bda;

/**
 * Threefry-2x32 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"): the block of counter
 * (c0, c1) under `key`, as two unsigned 32-bit words.
 */
export function threefry(key: Key, c0: number, c1: number, roundCount: number = rounds): [number, number] {
  const schedule = [key[0] | 0, key[1] | 0, key[0] ^ key[1] ^ parity];
  let x0 = (c0 + schedule[0]!) | 0;
  let x1 = (c1 + schedule[1]!) | 0;
  for (let round = 0; round < roundCount; round++) {
    const rotation = rotations[round % 8]!;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << rotation) | (x1 >>> (32 - rotation))) ^ x0;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x0 = (x0 + schedule[injection % 3]!) | 0;
      x1 = (x1 + schedule[(injection + 1) % 3]! + injection) | 0;
    }
  }
  return [x0 >>> 0, x1 >>> 0];
}
