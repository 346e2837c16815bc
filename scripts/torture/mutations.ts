import type { Draws } from './part.js';

const BYTES = [0, 1, 9, 10, 13, 32, 34, 44, 48, 57, 58, 91, 92, 93, 123, 125, 127, 128, 192, 237, 255];
const WORDS = [
  ...['-1', '1e999', '9007199254740993', '18446744073709551615', '4294967296', '0.5', 'null', 'NaN', 'true'],
  ...['""', '"\\ud800"', '[[[[[[[[[[[[', '{"a":{"a":{"a":', '__proto__', 'constructor', '../../x', '\0'],
];

/** The bytes with one to four changes: bits, bytes, pieces cut, doubled, moved, or put in from elsewhere. */
export function mutated(bytes: Uint8Array, draws: Draws): Uint8Array {
  let result: Uint8Array = new Uint8Array(bytes);
  for (let left = 1 + draws.below(4); left > 0; left--) result = changed(result, draws);
  return result;
}

function changed(bytes: Uint8Array, draws: Draws): Uint8Array {
  if (bytes.length === 0) return Uint8Array.of(draws.below(256));
  const at = draws.below(bytes.length);
  const end = Math.min(bytes.length, at + 1 + draws.below(draws.next() < 0.8 ? 8 : bytes.length));
  switch (draws.below(9)) {
    case 0:
      bytes[at] = bytes[at]! ^ (1 << draws.below(8));
      return bytes;
    case 1:
      bytes[at] = draws.of(BYTES);
      return bytes;
    case 2:
      bytes[at] = draws.below(256);
      return bytes;
    case 3:
      return joined(bytes.subarray(0, at), bytes.subarray(end));
    case 4:
      return joined(bytes.subarray(0, end), bytes.subarray(at));
    case 5:
      return bytes.slice(0, at);
    case 6:
      return joined(bytes.subarray(0, at), new TextEncoder().encode(draws.of(WORDS)), bytes.subarray(end));
    case 7:
      return joined(bytes.subarray(end), bytes.subarray(0, at));
    default: {
      const other = draws.below(bytes.length);
      bytes.copyWithin(at, other, Math.min(bytes.length, other + end - at));
      return bytes;
    }
  }
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(pieces));
}

const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -1, 0.5, 2 ** 31, 2 ** 53, 1e300, '', 'a', '\ud800', '[', '(?<=', '(a+)+$', '\\'],
  ...[[], {}, [null], ['a', 0], [[]], { type: 'Sequence' }, { Regex: '(' }, { Regex: '(?i' }, '__proto__'],
];

/** A copy of what JSON holds, one to three of its places changed, taken away or moved. */
export function mutatedJson(value: unknown, draws: Draws): unknown {
  const copy: unknown = structuredClone(value);
  const places = placesOf(copy);
  for (let left = 1 + draws.below(3); left > 0 && places.length > 0; left--) {
    const { holder, key } = draws.of(places);
    const other = draws.of(places);
    switch (draws.below(5)) {
      case 0:
        if (holder instanceof Array) holder.splice(Number(key), 1);
        else Reflect.deleteProperty(holder, key);
        break;
      case 1:
        holder[key] = structuredClone(other.holder[other.key]);
        break;
      case 2:
        if (!(holder instanceof Array)) holder[String(draws.of(VALUES))] = holder[key];
        break;
      default:
        holder[key] = structuredClone(draws.of(VALUES));
    }
  }
  return copy;
}

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
}

/** Every place of a value, but of a long list or table the first 20 and the last. */
function placesOf(value: unknown, found: Place[] = []): Place[] {
  if (typeof value !== 'object' || value === null) return found;
  const keys = Object.keys(value);
  for (const key of keys.length > 21 ? [...keys.slice(0, 20), keys.at(-1)!] : keys) {
    const holder = value as Record<string, unknown>;
    found.push({ holder, key });
    placesOf(holder[key], found);
  }
  return found;
}
