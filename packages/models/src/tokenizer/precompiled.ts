import { TokenizerFileError } from './tokenizer-file.js';
import { isAscii } from './unicode.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * SentencePiece's table of replacements (Kudo and Richardson, 2018), in base64: the length of a double-array trie in
 * bytes, the trie, then the replacements as texts that end with a zero byte.
 */
export function precompiled(charsmap: string): (text: string) => string {
  const bytes = Uint8Array.from(decoded(charsmap), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const size = bytes.length < 4 ? NaN : view.getUint32(0, true);
  if (!(size % 4 === 0 && size > 0 && size + 4 <= bytes.length)) {
    throw new TokenizerFileError('Precompiled: precompiled_charsmap is damaged');
  }
  const trie = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const texts = bytes.subarray(4 + size);

  /** What the shortest entry that the piece begins with is replaced by. */
  const replacement = (piece: string): string | undefined => {
    let unit = trie[0]!;
    let position = offsetOf(unit);
    for (const byte of encoder.encode(piece)) {
      if (byte === 0) return undefined;
      position ^= byte;
      unit = trie[position] ?? 0;
      if ((unit & 0x800000ff) >>> 0 !== byte) return undefined;
      position ^= offsetOf(unit);
      if ((unit >>> 8) & 1) {
        const start = trie[position]! & 0x7fffffff;
        const end = texts.indexOf(0, start);
        return decoder.decode(texts.subarray(start, end < 0 ? texts.length : end));
      }
    }
    return undefined;
  };
  const known = new Map<string, string>();
  const replaced = (piece: string): string => {
    let result = known.get(piece);
    if (result === undefined) {
      result = replacement(piece) ?? piece;
      if (known.size < 10_000) known.set(piece, result);
    }
    return result;
  };
  return (text) => {
    let result = '';
    for (const grapheme of graphemes(text)) {
      // A short grapheme is looked up as a whole, then character by character; longer ones by character alone.
      const whole =
        grapheme.length > 1 && encoder.encode(grapheme).length < 6 ? replacement(grapheme) : undefined;
      if (whole !== undefined) result += whole;
      else for (const character of grapheme) result += replaced(character);
    }
    return result;
  };
}

const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

// Only before these can a grapheme of under six bytes have more than one character.
const JOINING = /[\p{M}\p{Grapheme_Extend}\u200d\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2]|\r\n/u;
let segmenter: Intl.Segmenter | undefined;

function* graphemes(text: string): Generator<string> {
  if (isAscii(text) ? !text.includes('\r\n') : !JOINING.test(text)) return yield* text;
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  for (const { segment } of segmenter.segment(text)) yield segment;
}

/** Bytes as characters; none where the text is no base64. */
function decoded(text: string): string {
  try {
    return atob(text);
  } catch {
    return '';
  }
}
