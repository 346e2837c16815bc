import { bytesAsCharacters } from './byte-level.js';
import { type Behavior, isBehavior, readPattern, split } from './pattern.js';
import {
  build,
  type Component,
  isBoolean,
  isCount,
  isObject,
  isObjectList,
  isString,
  option,
} from './tokenizer-file.js';
import { punctuation, wordOrPunctuation } from './unicode.js';

/** Splits pieces of text further. `atStart` says that the first piece begins where the whole text does. */
export type PreTokenize = (pieces: readonly string[], atStart: boolean) => readonly string[];

const WORDS =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;
// Contractions, letters, digits and symbols each with a space before them (Radford et al., 2019).
const BYTE_LEVEL_WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** The pre-tokenizer that a tokenizer.json describes; without one a text is one piece. */
export function preTokenizer(component: Component | null | undefined): PreTokenize {
  if (!component) return (pieces) => pieces;
  return build('pre_tokenizer', PRE_TOKENIZERS, component);
}

const PRE_TOKENIZERS: Readonly<Record<string, (component: Component) => PreTokenize>> = {
  BertPreTokenizer: () => finder(wordOrPunctuation),
  ByteLevel: (component) => {
    const prefix = option(component, 'add_prefix_space', isBoolean);
    const words = option(component, 'use_regex', isBoolean, true);
    return each((text) => {
      const whole = prefix && !text.startsWith(' ') ? ` ${text}` : text;
      return (words ? (whole.match(BYTE_LEVEL_WORDS) ?? []) : [whole]).map(bytesAsCharacters);
    });
  },
  CharDelimiterSplit: (component) =>
    splitter(readPattern({ String: option(component, 'delimiter', isString) }), 'Removed'),
  Digits: (component) =>
    splitter(/\p{N}/gu, option(component, 'individual_digits', isBoolean) ? 'Isolated' : 'Contiguous'),
  FixedLength: (component) => {
    const length = option(component, 'length', isCount, 5);
    return splitter(new RegExp(`[^]{1,${Math.max(1, length)}}`, 'gu'), 'Isolated');
  },
  Metaspace: metaspace,
  Punctuation: (component) => splitter(punctuation, option(component, 'behavior', isBehavior, 'Isolated')),
  Sequence: (component) => {
    const parts = option(component, 'pretokenizers', isObjectList).map(preTokenizer);
    return (pieces, atStart) => {
      let result = pieces;
      let first = atStart;
      for (const part of parts) {
        const before = result[0];
        result = part(result, first);
        // White space that was removed has taken the start along.
        first &&= before !== undefined && result[0] !== undefined && before.startsWith(result[0]);
      }
      return result;
    };
  },
  Split: (component) => {
    const pattern = readPattern(option(component, 'pattern', isObject));
    return splitter(
      pattern,
      option(component, 'behavior', isBehavior),
      option(component, 'invert', isBoolean, false),
    );
  },
  Whitespace: () => finder(WORDS),
  WhitespaceSplit: () => finder(/\P{White_Space}+/gu),
};

const each =
  (cut: (text: string) => readonly string[]): PreTokenize =>
  (pieces) =>
    pieces.length === 1 ? cut(pieces[0]!) : pieces.flatMap(cut);

/** The matches alone: what a pattern's gaps are to others. */
const finder = (pattern: RegExp): PreTokenize => each((text) => text.match(pattern) ?? []);

const splitter = (pattern: RegExp, behavior: Behavior, invert = false): PreTokenize =>
  each((text) => split(text, pattern, behavior, invert));

/** SentencePiece's spaces: each becomes the replacement, one is put before the text, and words begin at them. */
function metaspace(component: Component): PreTokenize {
  const replacement = option(component, 'replacement', isString);
  const isScheme = (value: unknown): value is string =>
    ['first', 'never', 'always'].includes(value as string);
  const legacy = option(component, 'add_prefix_space', isBoolean, true) ? 'always' : 'never';
  const scheme = option(component, 'prepend_scheme', isScheme, legacy);
  const splits = option(component, 'split', isBoolean, true);
  const mark = readPattern({ String: replacement }).source;
  const pattern = new RegExp(`${mark}[^${mark}]*|[^${mark}]+`, 'gu');
  return (pieces, atStart) =>
    pieces.flatMap((piece, i) => {
      const text = piece.replaceAll(' ', replacement);
      const prepends = scheme === 'always' || (scheme === 'first' && atStart && i === 0);
      const whole = prepends && !text.startsWith(replacement) ? replacement + text : text;
      return splits ? (whole.match(pattern) ?? []) : [whole];
    });
}
