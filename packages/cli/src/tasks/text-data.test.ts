import '@tensorflow/tfjs-backend-cpu';
import { expect, test } from 'vitest';
import type { TextRow } from './task.js';
import { type EncodedText, textData } from './text-data.js';

const encode = ({ text, pair }: TextRow): { inputIds: number[]; tokenTypeIds: number[] } => {
  const first = text.split(' ').map(Number);
  const second = pair?.split(' ').map(Number) ?? [];
  return { inputIds: [...first, ...second], tokenTypeIds: [...first.map(() => 0), ...second.map(() => 1)] };
};
const rows = [
  { text: '5 6', pair: '7', label: 1 },
  { text: '8', label: 0 },
];

test('pads token ids, mask and token types of the rows asked for', () => {
  const data = textData(rows, { encode, padding: 9, maxLength: 512 });
  expect([data.size, data.length!(0), data.length!(1), data.label(0)]).toEqual([2, 3, 1, 1]);
  const inputs = data.inputs([1, 0], 4).map((tensor) => [tensor.dtype, tensor.arraySync()]);
  expect(inputs).toEqual([
    [
      'int32',
      [
        [8, 9, 9, 9],
        [5, 6, 7, 9],
      ],
    ],
    [
      'int32',
      [
        [1, 0, 0, 0],
        [1, 1, 1, 0],
      ],
    ],
    [
      'int32',
      [
        [0, 0, 0, 0],
        [0, 0, 1, 0],
      ],
    ],
  ]);
  expect(data.inputs([1])[0]!.shape).toEqual([1, 1]);
});

test('fills up the left where the tokenizer does', () => {
  const data = textData(rows, { encode, padding: 9, maxLength: 512, paddingSide: 'left' });
  expect(data.inputs([1, 0], 4).map((tensor) => tensor.arraySync())).toEqual([
    [
      [9, 9, 9, 8],
      [9, 5, 6, 7],
    ],
    [
      [0, 0, 0, 1],
      [0, 1, 1, 1],
    ],
    [
      [0, 0, 0, 0],
      [0, 0, 0, 1],
    ],
  ]);
});

test('never pads beyond the length that rows are cut to', () => {
  const data = textData(rows, { encode, padding: 0, maxLength: 3 });
  expect(data.inputs([0, 1], 16)[0]!.shape).toEqual([2, 3]);
});

test('words: the label of a word is that of its first token; tokens are cut, and what is cut is counted', () => {
  // A word becomes as many tokens as it has letters, between two special ones.
  const encodeWords = ({ words = [] }: TextRow, length: number): EncodedText => {
    const tokens = words.flatMap((word, place) => Array.from(word, () => place)).slice(0, length - 2);
    const places = [-1, ...tokens, -1];
    return { inputIds: places.map(() => 7), tokenTypeIds: places.map(() => 0), words: places };
  };
  const sentences = [
    { text: 'ab c', words: ['ab', 'c'], label: [4, 5] },
    { text: 'abc de f', words: ['abc', 'de', 'f'], label: [1, 2, 3] },
  ];
  const data = textData(sentences, { encode: encodeWords, padding: 0, maxLength: 6 });
  expect([data.label(0), data.wordTokens(0)]).toEqual([
    [-100, 4, -100, 5, -100],
    [1, 3],
  ]);
  expect([data.label(1), data.wordTokens(1)]).toEqual([
    [-100, 1, -100, -100, 2, -100],
    [1, 4, undefined],
  ]);
  expect(data.cut).toBe(1);
});
