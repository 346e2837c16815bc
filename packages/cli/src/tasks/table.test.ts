import { expect, test } from 'vitest';
import { scratch } from '../../test/scratch.js';
import { columnOf, readTable } from './table.js';

const { write, folder } = scratch();

test('tabs: quotes are plain characters, empty lines do not count, the line is known', async () => {
  const file = write('a.tsv', '\uFEFFtext\tlabel\r\nsaid "no" and left\t0\r\n\r\n"open\t1\r\n');
  const table = await readTable(file);
  expect(table.header).toEqual(['text', 'label']);
  expect(table.rows).toEqual([
    { line: 2, cells: ['said "no" and left', '0'] },
    { line: 4, cells: ['"open', '1'] },
  ]);
  expect(columnOf(table, 'label', 'x')).toBe(1);
});

test('csv: commas and line ends inside of quotes', async () => {
  const file = write('a.csv', 'text,label\n"one, two\nthree",0\nfour,1\n');
  expect((await readTable(file)).rows.map(({ cells }) => cells)).toEqual([
    ['one, two\nthree', '0'],
    ['four', '1'],
  ]);
});

test('jsonl: the keys of the first object are the columns', async () => {
  const file = write('a.jsonl', '{"text":"one","label":0}\n\n{"label":1,"text":"two"}\n');
  const table = await readTable(file);
  expect(table.header).toEqual(['text', 'label']);
  expect(table.rows).toEqual([
    { line: 1, cells: ['one', '0'] },
    { line: 3, cells: ['two', '1'] },
  ]);
});

test.each([
  ['wrong.tsv', 'text\tlabel\nok\t0\nshort\n', 'wrong.tsv:3: 1 columns, expected 2 (text, label).'],
  ['long.tsv', 'text\tlabel\na\tb\t0\n', 'long.tsv:2: 3 columns, expected 2 (text, label).'],
  ['empty.tsv', '', 'empty.tsv: the file has no rows.'],
  ['head.tsv', 'text\tlabel\n', 'head.tsv: the file has no rows.'],
  ['bad.jsonl', '{"text":"a"}\n[1]\n', 'bad.jsonl:2: not a JSON object.'],
  ['keys.jsonl', '{"text":"a"}\n{"t":"a"}\n', 'keys.jsonl:2: the keys are t; the first line has text.'],
])('%s is refused with its place', async (name, content, message) => {
  await expect(readTable(write(name, content))).rejects.toThrow(message);
});

test('a fixed number of columns without a header; an unclosed quote; a missing file; a folder', async () => {
  await expect(readTable(write('c.tsv', 'a\tb\n'), { header: false, columns: 4 })).rejects.toThrow(
    'c.tsv:1: 2 columns, expected 4.',
  );
  await expect(readTable(write('q.csv', 'text,label\n"open,1\n'))).rejects.toThrow(/q\.csv: .*[Qq]uote/);
  await expect(readTable(`${folder}/none.tsv`)).rejects.toThrow('none.tsv: there is no such file.');
  await expect(readTable(folder)).rejects.toThrow('this is a folder');
});

test('an unknown column is named with those there are', async () => {
  const table = await readTable(write('n.tsv', 'text\tlabel\na\t0\n'));
  expect(() => columnOf(table, 'sentence', 'text column')).toThrow(
    "there is no column 'sentence' (text column); the columns are 'text', 'label'.",
  );
});
