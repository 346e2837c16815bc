import { Heap } from './heap.js';
import type { TokenModel } from './models.js';
import {
  type Component,
  isBoolean,
  isString,
  isVocabulary,
  option,
  TokenizerFileError,
} from './tokenizer-file.js';
import { characterLength } from './unicode.js';

const PLACES = 2 ** 32;
const encoder = new TextEncoder();

/** Byte pair encoding (Sennrich et al., 2016): neighbours merge, those of the earliest merge first, then from the left. */
export function bpe(component: Component): TokenModel {
  const vocabulary = new Map(Object.entries(option(component, 'vocab', isVocabulary)));
  const merges = readMerges(component.merges);
  const unknownToken = component.unk_token ?? undefined;
  const prefix = option(component, 'continuing_subword_prefix', isString, '');
  const suffix = option(component, 'end_of_word_suffix', isString, '');
  const fuses = option(component, 'fuse_unk', isBoolean, false);
  const fallsBack = option(component, 'byte_fallback', isBoolean, false);
  const wholeFirst = option(component, 'ignore_merges', isBoolean, false);
  if (component.dropout)
    throw new TokenizerFileError(`BPE: dropout must be null, got ${JSON.stringify(component.dropout)}`);

  // Rank and result of each merge, by both ids in one number.
  let base = 1;
  for (const id of vocabulary.values()) base = Math.max(base, id + 1);
  const ranks = new Map<number, number>();
  const results = new Int32Array(merges.length);
  for (const [rank, [left, right]] of merges.entries()) {
    const merged = left + right.slice(prefix.length);
    const [a, b, result] = [left, right, merged].map((token) => {
      const id = vocabulary.get(token);
      if (id === undefined)
        throw new TokenizerFileError(
          `BPE: the merge of ${left} and ${right} needs ${token}, which vocab lacks`,
        );
      return id;
    });
    ranks.set(a! * base + b!, rank);
    results[rank] = result!;
  }

  const unknownId = (character: string): number | undefined => {
    if (!isString(unknownToken)) return undefined;
    const id = vocabulary.get(unknownToken);
    if (id === undefined)
      throw new TokenizerFileError(
        `BPE: ${JSON.stringify(character)} is unknown and vocab lacks ${unknownToken}`,
      );
    return id;
  };

  const symbolsOf = (piece: string): number[] => {
    const symbols: number[] = [];
    // An unknown character waits for the next known one: until then others may join it.
    let unknown: number | undefined;
    for (let i = 0; i < piece.length;) {
      const length = characterLength(piece, i);
      const character =
        (i > 0 ? prefix : '') + piece.slice(i, i + length) + (i + length === piece.length ? suffix : '');
      i += length;
      const id = vocabulary.get(character);
      if (id !== undefined) {
        if (unknown !== undefined) symbols.push(unknown);
        unknown = undefined;
        symbols.push(id);
        continue;
      }
      const bytes = fallsBack ? byteTokens(character, vocabulary) : undefined;
      if (bytes) {
        symbols.push(...bytes);
        continue;
      }
      if (unknown !== undefined && !fuses) symbols.push(unknown);
      unknown = unknownId(character);
    }
    if (unknown !== undefined) symbols.push(unknown);
    return symbols;
  };

  const tokenize = (piece: string): number[] => {
    const whole = wholeFirst ? vocabulary.get(piece) : undefined;
    return whole === undefined ? mergeAll(symbolsOf(piece), ranks, results, base) : [whole];
  };
  return { vocabulary, size: vocabulary.size, tokenize };
}

/** Merges in the order of (rank, place) until none is left. */
function mergeAll(
  symbols: number[],
  ranks: ReadonlyMap<number, number>,
  results: Int32Array,
  base: number,
): number[] {
  if (symbols.length < 2) return symbols;
  const next = symbols.map((_, i) => i + 1);
  const previous = symbols.map((_, i) => i - 1);
  const gone = new Uint8Array(symbols.length);
  const queue = new Heap();
  const consider = (left: number, right: number): void => {
    const rank = ranks.get(symbols[left]! * base + symbols[right]!);
    if (rank !== undefined) queue.push(rank * PLACES + left);
  };
  for (let i = 0; i + 1 < symbols.length; i++) consider(i, i + 1);
  for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) {
    const rank = Math.floor(entry / PLACES);
    const left = entry - rank * PLACES;
    const right = next[left]!;
    if (gone[left] || right >= symbols.length) continue;
    const now = ranks.get(symbols[left]! * base + symbols[right]!);
    // What stands here may have merged otherwise since; the same result by another way still counts.
    if (now === undefined || results[now] !== results[rank]) continue;
    symbols[left] = results[rank]!;
    gone[right] = 1;
    next[left] = next[right]!;
    if (next[left]! < symbols.length) previous[next[left]!] = left;
    if (previous[left]! >= 0) consider(previous[left]!, left);
    if (next[left]! < symbols.length) consider(left, next[left]!);
  }
  return symbols.filter((_, i) => !gone[i]);
}

/** The tokens `<0x0A>` of a character's bytes; undefined where the vocabulary lacks one. */
export function byteTokens(text: string, vocabulary: ReadonlyMap<string, number>): number[] | undefined {
  const ids: number[] = [];
  for (const byte of encoder.encode(text)) {
    const id = vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    if (id === undefined) return undefined;
    ids.push(id);
  }
  return ids;
}

/** Merges as pairs, or as one text with a space, the form of before 2024. */
function readMerges(merges: unknown): readonly (readonly [string, string])[] {
  if (!Array.isArray(merges)) throw new TokenizerFileError('BPE: merges must be a list');
  const pairs: [string, string][] = [];
  for (const merge of merges as unknown[]) {
    if (isString(merge) && merge.startsWith('#version')) continue;
    const parts = isString(merge) ? merge.split(' ') : merge;
    if (!(Array.isArray(parts) && parts.length === 2 && parts.every(isString)))
      throw new TokenizerFileError(`BPE: a merge must be two tokens, got ${JSON.stringify(merge)}`);
    pairs.push(parts as [string, string]);
  }
  return pairs;
}
