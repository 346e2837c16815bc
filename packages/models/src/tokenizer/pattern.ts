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
  const found: Found[] = [];
  let end = 0;
  for (const { 0: match, index } of text.matchAll(pattern)) {
    if (index > end) found.push({ piece: text.slice(end, index), match: invert });
    found.push({ piece: match, match: !invert });
    end = index + match.length;
  }
  if (end < text.length) found.push({ piece: text.slice(end), match: invert });
  return joined(found, behavior).filter((piece) => piece !== '');
}

interface Found {
  readonly piece: string;
  readonly match: boolean;
}

function joined(found: readonly Found[], behavior: Behavior): string[] {
  if (behavior === 'Removed') return found.filter(({ match }) => !match).map(({ piece }) => piece);
  if (behavior === 'Isolated') return found.map(({ piece }) => piece);
  if (behavior === 'MergedWithNext') {
    const backwards = merged([...found].reverse(), behavior);
    return backwards.reverse().map((pieces) => pieces.reverse().join(''));
  }
  return merged(found, behavior).map((pieces) => pieces.join(''));
}

/** Groups of pieces that become one. The first of matches that follow each other joins what comes before it. */
function merged(found: readonly Found[], behavior: Behavior): string[][] {
  const groups: string[][] = [];
  let previous = false;
  for (const { piece, match } of found) {
    const joins = behavior === 'Contiguous' ? match === previous : match && !previous;
    if (joins && groups.length > 0) groups.at(-1)!.push(piece);
    else groups.push([piece]);
    previous = match;
  }
  return groups;
}
