import { expect, test } from 'vitest';
import { type PredictedRow, predictionText } from './predictions.js';

const lines = (row: PredictedRow, separator = '|'): string[] =>
  predictionText([row], 'csv', separator).split('\n');

test('no two columns have one name, also where a class is called as a column', () => {
  const row: PredictedRow = {
    columns: { text: 'a', label: 'text' },
    said: { label: 'label' },
    probabilities: [
      ['label', 0.75],
      ['text', 0.25],
      ['toString', 0],
    ],
  };
  expect(lines(row)).toEqual([
    'predicted_label,predicted_predicted_label,predicted_text,toString,text,label',
    'label,0.7500,0.2500,0.0000,a,text',
  ]);
  expect(JSON.parse(predictionText([row], 'json', '|'))).toEqual([
    {
      text: 'a',
      label: 'text',
      predicted_label: 'label',
      probabilities: { label: 0.75, text: 0.25, toString: 0 },
    },
  ]);
});

test('a small value keeps its digits', () => {
  const row = (value: number): PredictedRow => ({
    columns: { text: 'a' },
    said: { value },
    probabilities: [],
  });
  expect([12.345678, 0.5, 0, 0.01234567, -0.0000123456].map((value) => lines(row(value))[1])).toEqual([
    ...['12.3457,a', '0.5000,a', '0.0000,a', '0.01235,a', '-0.00001235,a'],
  ]);
});

test('labels of a cell are written as they are read, those that came in too', () => {
  const row = { columns: { text: 'a', label: ['x y', 'z'] }, said: { labels: ['x y'] }, probabilities: [] };
  expect(lines(row, '|')).toEqual(['labels,text,label', 'x y,a,x y|z']);
  const odd = { ...row, columns: { label: ['b|c', 'z'], ones: [1, 0] } };
  expect(lines(odd, '|')[1]).toBe('x y,"[""b|c"",""z""]","[1,0]"');
  const words = { columns: { tokens: ['New York', 'is'] }, said: { labels: ['B', null] }, probabilities: [] };
  expect(lines(words, ' ')[1]).toBe('B -,"[""New York"",""is""]"');
});
