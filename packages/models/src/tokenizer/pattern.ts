import { oniguruma } from './oniguruma.js';
import { type Component, isString, option, TokenizerFileError } from './tokenizer-file.js';

/** What becomes of the matches that a text is split at. */
export type Behavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

const BEHAVIORS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];
export const isBehavior = (value: unknown): value is Behavior => BEHAVIORS.includes(value as string);

/** The pattern of a component: `{ "String": text }` or `{ "Regex": expression }`. */
export function readPattern(pattern: Component): RegExp {
  if ('Regex' in pattern) return oniguruma(option(pattern, 'Regex', isString));
  if (!('String' in pattern)) throw new TokenizerFileError('a pattern has neither String nor Regex');
  const text = option(pattern, 'String', isString);
  return new RegExp(Array.from(text, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`).join(''), 'gu');
}

/** Pieces of the text, split at the matches of a pattern, or with `invert` at what lies between them. */
export function split(text: string, pattern: RegExp, behavior: Behavior, invert = false): string[] {
  const pieces: string[] = [];
  let end = 0;
  let previous = false;
  // Pieces in order with whether they match; a match that waits for its next piece is kept in `pending`.
  let pending = '';
  const add = (piece: string, match: boolean): void => {
    const merges = match && !previous;
    const last = pieces.length - 1;
    if (behavior === 'Removed') {
      if (!match) pieces.push(piece);
    } else if (behavior === 'Contiguous' && match === previous && last >= 0)
      pieces[last] = pieces[last]! + piece;
    else if (behavior === 'MergedWithPrevious' && merges && last >= 0) pieces[last] = pieces[last]! + piece;
    else if (behavior === 'MergedWithNext') {
      if (match) {
        if (pending !== '') pieces.push(pending);
        pending = piece;
      } else {
        pieces.push(pending + piece);
        pending = '';
      }
    } else pieces.push(piece);
    previous = match;
  };
  if (text === '') return [];
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) add(text.slice(end, match.index), invert);
    add(match[0], !invert);
    end = match.index + match[0].length;
  }
  if (end < text.length) add(text.slice(end), invert);
  if (pending !== '') pieces.push(pending);
  return pieces.filter((piece) => piece !== '');
}
