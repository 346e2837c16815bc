/** A key of the generator: two unsigned 32-bit integers. Every draw is a pure function of its key and the element's index. */
export type Key = readonly [number, number];

/**
 * Rounds of the generator: 13, the shortest variant with published known answers. Every input bit reaches every output bit
 * after 8; the default of 20 has a margin that noise and dropout do not need, and makes a compiled draw a third dearer.
 */
export const rounds = 13;

/** Rotation of each round, from the first again after eight (Salmon et al. 2011, Threefry-2x32). */
export const rotations: readonly number[] = [13, 15, 26, 6, 17, 29, 16, 24];

/** The third key word is this xor the two others. */
export const parity = 0x1bd11bda;

/**
 * Threefry-2x32 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"): the block of counter
 * (counter0, counter1) under `key`, as two unsigned 32-bit words.
 */
export function threefry(
  key: Key,
  counter0: number,
  counter1: number,
  roundCount: number = rounds,
): [number, number] {
  const schedule = [key[0] | 0, key[1] | 0, key[0] ^ key[1] ^ parity];
  let x0 = (counter0 + schedule[0]!) | 0;
  let x1 = (counter1 + schedule[1]!) | 0;
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

/**
 * The words of a draw: block c has counter (c, 0) and gives element c its first word and element c + ceil(n / 2) its second.
 * Halves, not neighbours: both are then written in order, which vectorizes (interleaved, a compiled draw is 6 times dearer).
 * Unrolled by hand: about 4 times as fast as calls of `threefry`, which the tests hold it to.
 */
export function fillWords(words: Int32Array, key: Key): void {
  const count = words.length;
  const half = Math.ceil(count / 2);
  const k0 = key[0] | 0;
  const k1 = key[1] | 0;
  const k2 = k0 ^ k1 ^ parity;
  for (let c = 0; c < half; c++) {
    let x0 = (c + k0) | 0;
    let x1 = k1;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0;
    x0 = (x0 + k1) | 0;
    x1 = (x1 + k2 + 1) | 0;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << 29) | (x1 >>> 3)) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << 16) | (x1 >>> 16)) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << 24) | (x1 >>> 8)) ^ x0;
    x0 = (x0 + k2) | 0;
    x1 = (x1 + k0 + 2) | 0;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << 13) | (x1 >>> 19)) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << 15) | (x1 >>> 17)) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << 26) | (x1 >>> 6)) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << 6) | (x1 >>> 26)) ^ x0;
    x0 = (x0 + k0) | 0;
    x1 = (x1 + k1 + 3) | 0;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << 17) | (x1 >>> 15)) ^ x0;
    words[c] = x0;
    if (c + half < count) words[c + half] = x1;
  }
}
