import { COMBINING, NONSPACING, OTHER, PUNCTUATION, UNNORMALIZED } from './unicode-sets.js';

/** The members of a character class from ranges in hexadecimal: `300-36f 483`. */
function members(ranges: string): string {
  const escaped = (range: string): string => range.replace(/[0-9a-f]+/g, '\\u{$&}');
  return ranges.trim().split(/\s+/).map(escaped).join('');
}

const characters = (ranges: string): RegExp => new RegExp(`[${members(ranges)}]+`, 'gu');

const nonspacing = characters(NONSPACING);
const combining = characters(COMBINING);
const other = characters(OTHER);
const unnormalized = characters(UNNORMALIZED);

// ASCII's symbols count as well, whatever their category is.
const PUNCTUATION_CLASS = `!-\\/:-@\\[-\`\\{-~${members(PUNCTUATION)}`;
/** One character that splits words by itself: ASCII's symbols and the punctuation that the reference knows. */
export const punctuation: RegExp = new RegExp(`[${PUNCTUATION_CLASS}]`, 'gu');
/** A run of other characters, or one of punctuation; white space lies between. */
export const wordOrPunctuation: RegExp = new RegExp(
  `[^\\p{White_Space}${PUNCTUATION_CLASS}]+|[${PUNCTUATION_CLASS}]`,
  'gu',
);

/** Without marks of the category Mn. */
export const withoutNonspacing = (text: string): string => text.replace(nonspacing, '');
/** Without marks of the categories Mn, Mc and Me. */
export const withoutMarks = (text: string): string => text.replace(combining, '');
/** Without control, format, private and surrogate characters. */
export const withoutOthers = (text: string): string => text.replace(other, '');

/**
 * A Unicode normalization form. Characters that the reference's tables are too old for stay as they are and combine
 * with nothing.
 */
export function normalForm(text: string, form: 'NFC' | 'NFD' | 'NFKC' | 'NFKD'): string {
  if (isAscii(text)) return text;
  if (text.search(unnormalized) < 0) return text.normalize(form);
  let result = '';
  let end = 0;
  for (const match of text.matchAll(unnormalized)) {
    result += text.slice(end, match.index).normalize(form) + match[0];
    end = match.index + match[0].length;
  }
  return result + text.slice(end).normalize(form);
}

/** Halves of characters beyond 16 bits that stand alone become U+FFFD, which has an encoding. */
export const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, '\ufffd');

/** Lower case character by character: a sigma at the end of a word is not special. */
export function lowerCase(text: string): string {
  return text.includes('\u03a3')
    ? text
        .split('\u03a3')
        .map((part) => part.toLowerCase())
        .join('\u03c3')
    : text.toLowerCase();
}

/** Whether every character is of ASCII. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** How many characters a text has, those beyond 16 bits counted once. */
export function characterCount(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xfc00) === 0xd800) count--;
  return count;
}

/** Length of the character that starts at `index`: 1, or 2 for one beyond 16 bits. */
export const characterLength = (text: string, index: number): number =>
  (text.charCodeAt(index) & 0xfc00) === 0xd800 ? 2 : 1;
