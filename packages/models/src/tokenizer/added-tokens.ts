import type { Normalize } from './normalizer.js';
import type { AddedToken } from './tokenizer-file.js';

/** An added token with every property said. */
export type KnownToken = Required<AddedToken>;

const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const ENDS_WITH_WORD = new RegExp(`${WORD}$`, 'u');
const STARTS_WITH_WORD = new RegExp(`^${WORD}`, 'u');

/** The tokens that are found in a text before any model sees it, and the ids they have. */
export class AddedTokens {
  readonly #ids = new Map<string, number>();
  readonly #tokens = new Map<number, KnownToken>();

  /** `vocabulary` gives known tokens their ids; new ones count from its `size`, or from the largest id added so far. */
  constructor(
    private readonly vocabulary: ReadonlyMap<string, number>,
    private readonly size: number,
  ) {}

  /** Adds tokens, or changes the properties of those there. The ids in a file are not read, as the reference does it. */
  add(tokens: readonly AddedToken[]): void {
    let largest = -1;
    for (const id of this.#tokens.keys()) largest = Math.max(largest, id);
    let next = largest >= this.size || (largest >= 0 && this.size === 0) ? largest + 1 : this.size;
    for (const token of tokens) {
      if (token.content === '') continue;
      const id = this.id(token.content) ?? next++;
      const special = token.special ?? false;
      this.#ids.set(token.content, id);
      this.#tokens.set(id, {
        id,
        content: token.content,
        single_word: token.single_word ?? false,
        lstrip: token.lstrip ?? false,
        rstrip: token.rstrip ?? false,
        normalized: token.normalized ?? !special,
        special,
      });
    }
  }

  has(content: string): boolean {
    return this.#ids.has(content);
  }

  /** The id of an added token or one of the vocabulary. */
  id(content: string): number | undefined {
    return this.#ids.get(content) ?? this.vocabulary.get(content);
  }

  /** Every added token in the order of the ids. */
  list(): KnownToken[] {
    return [...this.#tokens.values()].sort((a, b) => a.id - b.id);
  }
}

/** A stretch of text, or the id of an added token found in it. */
export type Segment = string | number;

/**
 * Cuts a text at added tokens: first at those that are looked for as the text stands, then, in the normalized rest, at
 * the others in their normalized form. `skipSpecial` takes special tokens for ordinary text.
 */
export function addedTokenSplitter(
  tokens: readonly KnownToken[],
  normalize: Normalize,
  skipSpecial: boolean,
): (text: string) => Segment[] {
  const wanted = tokens.filter(({ special }) => !(special && skipSpecial));
  const plain = finder(wanted.filter(({ normalized }) => !normalized).map((token) => [token.content, token]));
  const changed = finder(
    wanted.filter(({ normalized }) => normalized).map((token) => [normalize(token.content), token]),
  );
  return (text) =>
    plain(text).flatMap((segment) => (typeof segment === 'string' ? changed(normalize(segment)) : [segment]));
}

/** Finds tokens from the left, the longest of those that begin at one place. */
function finder(patterns: readonly (readonly [string, KnownToken])[]): (text: string) => Segment[] {
  const byFirst = new Map<string, (readonly [string, KnownToken])[]>();
  for (const pattern of patterns) {
    if (pattern[0] === '') continue;
    const first = String.fromCodePoint(pattern[0].codePointAt(0)!);
    byFirst.set(first, [...(byFirst.get(first) ?? []), pattern]);
  }
  for (const list of byFirst.values()) list.sort((a, b) => b[0].length - a[0].length);
  if (byFirst.size === 0) return (text) => (text === '' ? [] : [text]);
  const codes = [...byFirst.keys()].map((first) => `\\u{${first.codePointAt(0)!.toString(16)}}`);
  const candidate = new RegExp(`[${codes.join('')}]`, 'gu');

  return (text) => {
    const segments: Segment[] = [];
    let done = 0;
    candidate.lastIndex = 0;
    for (let match = candidate.exec(text); match; match = candidate.exec(text)) {
      const place = match.index;
      const found = byFirst.get(match[0])!.find(([content]) => text.startsWith(content, place));
      if (!found) continue;
      const [content, token] = found;
      let start = place;
      let end = place + content.length;
      // The search goes on behind the token, whether it is taken or not.
      candidate.lastIndex = end;
      if (
        token.single_word &&
        (ENDS_WITH_WORD.test(text.slice(Math.max(0, start - 2), start)) ||
          STARTS_WITH_WORD.test(text.slice(end, end + 2)))
      )
        continue;
      if (token.lstrip) start = Math.max(withoutSpaceBefore(text, start), done);
      if (token.rstrip) end = withoutSpaceAfter(text, end);
      if (done < start) segments.push(text.slice(done, start));
      segments.push(token.id);
      done = end;
    }
    if (done < text.length) segments.push(text.slice(done));
    return segments;
  };
}

const isSpace = (text: string, index: number): boolean => /\p{White_Space}/u.test(text.charAt(index));

function withoutSpaceBefore(text: string, end: number): number {
  let start = end;
  while (start > 0 && isSpace(text, start - 1)) start--;
  return start;
}

function withoutSpaceAfter(text: string, start: number): number {
  let end = start;
  while (end < text.length && isSpace(text, end)) end++;
  return end;
}
