// Words to numbers by whole-number arithmetic, then one exact conversion and one product: nothing that a fused
// multiply-add, another order or another library could round otherwise. So every engine gives the same bits.
import { normalTable } from './normal-table.js';

/** Binary digits after the point of the whole numbers that stand for a standard normal draw. */
export const normalDigits = 21;

/** What a draw needs beside its words: whole numbers and one factor, all of which may change without a recompilation. */
export interface DrawParameters {
  /** Uniform: the lower bound. Bernoulli: the threshold. In units of the last place. */
  readonly offset: number;
  /** Uniform: the width in the same units, up to 2^25. */
  readonly width: number;
  /** Factor of the whole number, rounded to float32. */
  readonly scale: number;
}

/** Normal of mean 0: value = z * scale. */
export function normalParameters(deviation: number): DrawParameters {
  checkFinite('randomNormal: deviation', deviation);
  return { offset: 0, width: 0, scale: Math.fround(deviation) * 2 ** -normalDigits };
}

/**
 * Uniform on [low, high): value = (offset + ((2 u + 1) * width >> 25)) * scale with u the word's upper 24 bits and scale a
 * power of two, such that the larger bound fills 24 bits. No rounding at all after the bounds; -a and a give exact symmetry.
 */
export function uniformParameters(low: number, high: number): DrawParameters {
  checkFinite('randomUniform: low', low);
  checkFinite('randomUniform: high', high);
  if (low > high)
    throw new Error(`randomUniform: low must not exceed high, got low ${low} and high ${high}.`);
  const largest = Math.max(Math.abs(low), Math.abs(high));
  if (largest === 0) return { offset: 0, width: 0, scale: 1 };
  let scale = 2 ** (Math.floor(Math.log2(largest)) - 24);
  while (largest > scale * 2 ** 24) scale *= 2;
  const offset = Math.round(low / scale);
  return { offset, width: Math.round(high / scale) - offset, scale };
}

/** Bernoulli: value = (upper 30 bits of the word < offset) * scale. */
export function bernoulliParameters(probability: number, value = 1): DrawParameters {
  if (!(probability >= 0 && probability <= 1)) {
    throw new Error(`randomBernoulli: probability must be from 0 to 1, got ${probability}.`);
  }
  return { offset: Math.round(probability * 2 ** 30), width: 0, scale: Math.fround(value) };
}

/**
 * In place, the words of `values` (read as int32) become normal draws. The tail probability is k / 2^32 with k the word's
 * lower 31 bits, made odd; as float32 its exponent and next 5 bits choose a piece of the inverse distribution, the 14 bits
 * after them are the place on it, and the word's top bit is the sign.
 */
export function toNormal(values: Float32Array, { scale }: DrawParameters): void {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const word = words[i]!;
    const sign = word >> 31;
    values[i] = (word & 0x7fffffff) | 1;
    const bits = words[i]!;
    const piece = normalTable[(bits >> 18) - 127 * 32]!;
    const z = ((piece >>> 12) << 4) - (((piece & 0xfff) * ((bits >> 4) & 0x3fff)) >> 10);
    values[i] = ((z ^ sign) - sign) * scale;
  }
}

/** In place, words to uniform draws; see `uniformParameters`. */
export function toUniform(values: Float32Array, { offset, width, scale }: DrawParameters): void {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length);
  const factor = width * 2 ** -25; // the product below is below 2^50 in units of 2^-25, so exact
  for (let i = 0; i < values.length; i++) {
    values[i] = (offset + Math.floor(((words[i]! >>> 8) * 2 + 1) * factor)) * scale;
  }
}

/** In place, words to zeros and `scale`s; see `bernoulliParameters`. */
export function toBernoulli(values: Float32Array, { offset, scale }: DrawParameters): void {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) values[i] = words[i]! >>> 2 < offset ? scale : 0;
}

function checkFinite(what: string, value: number): void {
  if (!Number.isFinite(value)) throw new Error(`${what} must be a finite number, got ${value}.`);
}
