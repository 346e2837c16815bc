import { expect, test } from 'vitest';
import { oniguruma } from './oniguruma.js';
import { split } from './pattern.js';

const matches = (pattern: string, text: string): string[] => text.match(oniguruma(pattern)) ?? [];

test('classes are those of Unicode, with nesting and intersection', () => {
  expect(matches('\\w+', 'naïve 中国_x ½ e\u0301')).toEqual(['naïve', '中国_x', '½', 'e\u0301']);
  expect(matches('\\s', 'a\u0085b\ufeffc\u3000')).toEqual(['\u0085', '\u3000']);
  expect(matches('[\\p{L}&&[^a-z]]+', 'abcÄÖx')).toEqual(['ÄÖ']);
  expect(matches('[[:punct:]&&[^-]]', 'a-b+c.')).toEqual(['+', '.']);
  expect(matches('\\p{Punct}', 'a-b+c.')).toEqual(['-', '.']);
  expect(matches('[^\\W\\d]+', 'ab12_c')).toEqual(['ab', '_c']);
  expect(matches('\\p{Han}+|\\p{^Letter}', 'a中国1')).toEqual(['中国', '1']);
  expect(matches('[]a-]+', 'x]a-b')).toEqual([']a-']);
});

test('case is ignored where a group says so, on every Node.js', () => {
  expect(matches("(?i:'s|'ll)", "'S 'll 'lL 's 'ſ x")).toEqual(["'S", "'ll", "'lL", "'s", "'ſ"]);
  expect(matches('(?i:kåσ)', 'KÅΣ \u212a\u212bς')).toHaveLength(2);
  expect(matches('a(?i)b|c', 'aB aC ac C')).toEqual(['aB', 'aC', 'ac']);
  expect(matches('(?i:[a-c])D', 'AD Ad cD')).toEqual(['AD', 'cD']);
});

test('lines, dots and ends are those of Ruby', () => {
  expect(matches('^.', 'ab\ncd\n')).toEqual(['a', 'c']);
  expect(matches('.$', 'ab\ncd')).toEqual(['b', 'd']);
  expect(matches('\\A.|.\\z', 'ab\ncd')).toEqual(['a', 'd']);
  expect('\u{1f600}a\n\u{1f600}'.replace(oniguruma('$'), '#')).toBe('\u{1f600}a#\n\u{1f600}#');
  expect(matches('(?m:a.)', 'a\nab')).toEqual(['a\n', 'ab']);
});

test('possessive and atomic groups do not go back', () => {
  expect(matches('a++b|a', 'aaab aaa')).toEqual(['aaab', 'a', 'a', 'a']);
  expect(matches('a++a', 'aaa')).toEqual([]);
  expect(matches('(?>a+)a', 'aaa')).toEqual([]);
  expect(matches('a{,2}b', 'aab b')).toEqual(['aab', 'b']);
});

test('what has no equal is refused with its pattern', () => {
  for (const pattern of [
    '(a)\\1',
    '\\Ga',
    '\\X',
    '(?<n>a)\\g<n>',
    '(a',
    'a)',
    '[[:nothing:]]',
    '[[:constructor:]]',
    '\\p{constructor}',
    '\\p{Nothing}',
  ])
    expect(() => oniguruma(pattern)).toThrow(/^the pattern ".*" cannot be read: /);
});

test('a text is split at matches in the five ways, and between them', () => {
  const ways = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
  expect(ways.map((way) => split('-a--b-', /-/g, way).join('|'))).toEqual([
    'a|b',
    '-|a|-|-|b|-',
    '-|a-|-|b-',
    '-a|-|-b|-',
    '-|a|--|b|-',
  ]);
  expect(split('-a--b-', /[a-z]/g, 'Removed', true)).toEqual(['a', 'b']);
});
