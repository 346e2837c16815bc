import { drawLayout, pairBits } from './layout.js';

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
 * The words of a draw of this shape: of each block the first word is for the even row of a pair, the second for the odd one.
 * A whole row lies between them, not one element: both are then written in order, which vectorizes.
 */
export function fillWords(words: Int32Array, shape: readonly number[], key: Key): void {
  const { rows, planes, places, features, shift, planeStride } = drawLayout(shape);
  const size = planes * places * features;
  for (let row = 0; row < rows; row += 2) {
    const even = words.subarray(row * size, (row + 1) * size);
    const odd = row + 1 < rows ? words.subarray((row + 1) * size, (row + 2) * size) : undefined;
    for (let plane = 0, at = 0; plane < planes; plane++) {
      for (let place = 0; place < places; place++, at += features) {
        const upper = plane * planeStride + Math.floor(place / 2 ** (32 - shift));
        fillLine(even, odd, at, features, (place << shift) | 0, ((row >> 1) + (upper << pairBits)) | 0, key);
      }
    }
  }
}

/** The blocks of counters (c0, c1), (c0 + 1, c1) ... Unrolled by hand: about 4 times as fast as calls of `threefry`. */
function fillLine(
  even: Int32Array,
  odd: Int32Array | undefined,
  from: number,
  count: number,
  c0: number,
  c1: number,
  key: Key,
): void {
  const k0 = key[0] | 0;
  const k1 = key[1] | 0;
  const k2 = k0 ^ k1 ^ parity;
  for (let j = 0; j < count; j++) {
    let x0 = (c0 + j + k0) | 0;
    let x1 = (c1 + k1) | 0;
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
    even[from + j] = x0;
    if (odd !== undefined) odd[from + j] = x1;
  }
}
