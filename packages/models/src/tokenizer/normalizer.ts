import { bytesAsCharacters } from './byte-level.js';
import { readPattern } from './pattern.js';
import { precompiled } from './precompiled.js';
import {
  build,
  type Component,
  isBoolean,
  isObject,
  isObjectList,
  isString,
  option,
} from './tokenizer-file.js';
import { isAscii, lowerCase, normalForm, withoutMarks, withoutNonspacing, withoutOthers } from './unicode.js';

/** What happens to a text before it is split. */
export type Normalize = (text: string) => string;

const IDEOGRAPH =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;

/** The normalizer that a tokenizer.json describes; without one texts stay as they are. */
export function normalizer(component: Component | null | undefined): Normalize {
  if (!component) return (text) => text;
  return build('normalizer', NORMALIZERS, component);
}

const NORMALIZERS: Readonly<Record<string, (component: Component) => Normalize>> = {
  BertNormalizer: bert,
  ByteLevel: () => bytesAsCharacters,
  Lowercase: () => lowerCase,
  NFC: () => (text) => normalForm(text, 'NFC'),
  NFD: () => (text) => normalForm(text, 'NFD'),
  NFKC: () => (text) => normalForm(text, 'NFKC'),
  NFKD: () => (text) => normalForm(text, 'NFKD'),
  Nmt: () => nmt,
  Precompiled: (component) => precompiled(option(component, 'precompiled_charsmap', isString)),
  Prepend: (component) => {
    const prefix = option(component, 'prepend', isString);
    return (text) => (text === '' ? '' : prefix + text);
  },
  Replace: (component) => {
    const pattern = readPattern(option(component, 'pattern', isObject));
    const content = option(component, 'content', isString);
    return (text) => (text === '' ? '' : text.replace(pattern, () => content));
  },
  Sequence: (component) => {
    const parts = option(component, 'normalizers', isObjectList).map(normalizer);
    return (text) => parts.reduce((result, part) => part(result), text);
  },
  Strip: (component) => {
    const left = option(component, 'strip_left', isBoolean) ? /^\p{White_Space}+/u : /^(?!)/;
    const right = option(component, 'strip_right', isBoolean);
    return (text) => {
      const rest = text.replace(left, '');
      return right ? withoutTrailingSpace(rest) : rest;
    };
  },
  StripAccents: () => withoutMarks,
};

/** Cleaning, spaces around ideographs, accents and case, as BERT does it (Devlin et al., 2019). */
function bert(component: Component): Normalize {
  const clean = option(component, 'clean_text', isBoolean, true);
  const ideographs = option(component, 'handle_chinese_chars', isBoolean, true);
  const lower = option(component, 'lowercase', isBoolean, true);
  const strip = option(component, 'strip_accents', isBoolean, lower);
  return (text) => {
    let result = text;
    if (clean) result = withoutOthers(result.replace(/[\t\n\r]/g, ' ')).replace(/\p{White_Space}/gu, ' ');
    if (!isAscii(result)) {
      if (ideographs) result = result.replace(IDEOGRAPH, ' $& ');
      if (strip) result = withoutNonspacing(normalForm(result, 'NFD'));
    }
    return lower ? lowerCase(result) : result;
  };
}

/** Control characters go, all kinds of space become one: the cleaning of neural machine translation's data. */
function nmt(text: string): string {
  return text
    .replace(/[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]/g, '')
    .replace(/[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g, ' ');
}

function withoutTrailingSpace(text: string): string {
  let end = text.length;
  while (end > 0 && /\p{White_Space}/u.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}
