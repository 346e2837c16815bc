import { byteTokens } from './bpe.js';
import type { TokenModel } from './models.js';
import {
  type Component,
  isBoolean,
  isCount,
  isScoredVocabulary,
  option,
  TokenizerFileError,
} from './tokenizer-file.js';
import { characterLength } from './unicode.js';

const UNKNOWN_PENALTY = 10;

/** The most probable segmentation under a unigram language model (Kudo, 2018), by Viterbi's algorithm. */
export function unigram(component: Component): TokenModel {
  const entries = option(component, 'vocab', isScoredVocabulary);
  const unknown =
    component.unk_id === null || component.unk_id === undefined
      ? undefined
      : option(component, 'unk_id', isCount);
  const fallsBack = option(component, 'byte_fallback', isBoolean, false);
  if (unknown !== undefined && unknown >= entries.length)
    throw new TokenizerFileError(`Unigram: unk_id must be below ${entries.length}, got ${unknown}`);
  const vocabulary = new Map<string, number>();
  let longest = 0;
  let least = Infinity;
  for (const [id, [token, score]] of entries.entries()) {
    vocabulary.set(token, id);
    longest = Math.max(longest, token.length);
    least = Math.min(least, score);
  }
  const unknownScore = least - UNKNOWN_PENALTY;
  const unknownId = (text: string): number => {
    if (unknown === undefined)
      throw new TokenizerFileError(`Unigram: ${JSON.stringify(text)} is unknown and unk_id is not given`);
    return unknown;
  };

  /** Where the best path's pieces begin and whether each is unknown, from the last to the first. */
  const tokenize = (text: string): number[] => {
    const scores = new Float64Array(text.length + 1);
    const starts = new Int32Array(text.length + 1).fill(-1);
    const ids = new Int32Array(text.length + 1);
    const consider = (start: number, end: number, score: number, id: number): void => {
      const total = score + scores[start]!;
      if (starts[end] !== -1 && total <= scores[end]!) return;
      scores[end] = total;
      starts[end] = start;
      ids[end] = id;
    };
    for (let start = 0; start < text.length;) {
      const length = characterLength(text, start);
      const furthest = Math.min(text.length, start + longest);
      let single = false;
      for (let end = start + length; end <= furthest; end++) {
        const id = vocabulary.get(text.slice(start, end));
        if (id === undefined) continue;
        consider(start, end, entries[id]![1], id);
        single ||= end === start + length;
      }
      if (!single) consider(start, start + length, unknownScore, unknownId(text));
      start += length;
    }
    const result: number[] = [];
    for (let end = text.length; end > 0;) {
      let start = starts[end]!;
      if (ids[end] === unknown) {
        // Unknown neighbours are one token.
        while (start > 0 && ids[start] === unknown) start = starts[start]!;
        const piece = text.slice(start, end);
        const known = vocabulary.get(piece);
        const bytes = known === undefined && fallsBack ? byteTokens(piece, vocabulary) : undefined;
        for (const id of bytes?.reverse() ?? [known ?? unknown!]) result.push(id);
      } else result.push(ids[end]!);
      end = start;
    }
    return result.reverse();
  };
  return { vocabulary, size: entries.length, tokenize };
}
