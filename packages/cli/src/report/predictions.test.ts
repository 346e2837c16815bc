import { expect, test } from 'vitest';
import { formatOf, type PredictedRow, predictionText } from './predictions.js';

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

test('labels of a cell are written as they are read, those that came in too', () => {
  const row = { columns: { text: 'a', label: ['x y', 'z'] }, said: { labels: ['x y'] }, probabilities: [] };
  expect(lines(row, '|')).toEqual(['labels,text,label', 'x y,a,x y|z']);
  const odd = { ...row, columns: { label: ['b|c', 'z'], ones: [1, 0] } };
  expect(lines(odd, '|')[1]).toBe('x y,"[""b|c"",""z""]","[1,0]"');
  const words = { columns: { tokens: ['New York', 'is'] }, said: { labels: ['B', null] }, probabilities: [] };
  expect(lines(words, ' ')[1]).toBe('B -,"[""New York"",""is""]"');
});

test('a file is written as its ending says', () => {
  expect(['a.csv', 'b.JSONL', 'c.json', 'd.tsv', 'e.txt', undefined].map(formatOf)).toEqual([
    ...['csv', 'jsonl', 'json', 'tsv', 'tsv', 'tsv'],
  ]);
});

test('values of any size keep their digits, probabilities have four places', () => {
  const said = { small: 0.0000123456, large: 123456.789 };
  const rows = [{ columns: { text: 'a' }, said, probabilities: [['yes', 0.123456]] as const }];
  expect(predictionText(rows, 'csv', '|')).toBe('small,large,yes,text\n0.0000123456,123456.8,0.1235,a');
});
