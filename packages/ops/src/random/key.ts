import { threefry, type Key } from './threefry.js';

// The second counter word keeps the uses of one key apart: 0 is for draws, these are for derived keys.
const numberDomain = 0x80000000;
const stringDomain = 0x40000000;

/** The root key of a run: a whole number from 0 to 2^53 - 1, its low and high halves as the two words. */
export function seedKey(seed: number): Key {
  checkWhole('seedKey: seed', seed);
  return [seed >>> 0, Math.floor(seed / 2 ** 32)];
}

/**
 * A new key for each path of labels, such as `foldIn(run, step, 'main', 'encoder.layer.0')`. Pure: the same labels give
 * the same key whatever was drawn before. Each label is one Threefry block under the key so far; a number (whole,
 * 0 to 2^53 - 1) enters as it is, a string as the FNV-1a hash of its UTF-16 code units. Numbers, strings and draws use
 * counters that cannot meet.
 */
export function foldIn(key: Key, ...labels: (string | number)[]): Key {
  return labels.reduce<Key>((current, label) => {
    if (typeof label === 'string') return threefry(current, fnv1a(label), stringDomain);
    checkWhole('foldIn: a number label', label);
    return threefry(current, label >>> 0, numberDomain + Math.floor(label / 2 ** 32));
  }, key);
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo). */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

function checkWhole(what: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new Error(`${what} must be a whole number from 0 to 2^53 - 1, got ${value}.`);
  }
}
