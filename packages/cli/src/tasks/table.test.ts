import { readFileSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { scratch } from '../../test/scratch.js';
import { columnOf, readTable } from './table.js';

const { write, folder } = scratch();

/** Writes bytes that are no UTF-8. */
function writeBytes(name: string, bytes: Uint8Array): string {
  const path = write(name, '');
  writeFileSync(path, bytes);
  return path;
}

const cellsOf = async (...file: Parameters<typeof readTable>): Promise<unknown> =>
  (await readTable(...file)).rows.map(({ cells }) => cells);

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

test('csv: commas and line ends inside of quotes, an inch mark in a plain cell', async () => {
  const file = write('a.csv', 'text,label\n"one, two\nthree",0\na 5" screen,1\n');
  expect(await cellsOf(file)).toEqual([
    ['one, two\nthree', '0'],
    ['a 5" screen', '1'],
  ]);
});

test('csv: a semicolon or a tab where the first line has no comma, or what is given', async () => {
  const wanted = [['a, b', '1']];
  expect(await cellsOf(write('s.csv', 'text;label\n"a, b";1\n'))).toEqual(wanted);
  expect(await cellsOf(write('t.csv', 'text\tlabel\na, b\t1\n'))).toEqual(wanted);
  expect(await cellsOf(write('p.csv', '"a,b"|label\n"a, b"|1\n'), { delimiter: '|' })).toEqual(wanted);
  expect(await cellsOf(write('tab.txt', 'text,label\n"a, b",1\n'), { delimiter: ',' })).toEqual(wanted);
  await expect(readTable(write('x.csv', 'a,b\n'), { delimiter: '||' })).rejects.toThrow(
    "--delimiter: must be one character or tab, got '||'.",
  );
});

test('line ends of an old Mac', async () => {
  expect(await cellsOf(write('mac.csv', 'text,label\ra,1\rb,0\r'))).toEqual([
    ['a', '1'],
    ['b', '0'],
  ]);
});

test('jsonl: every key is a column, one that a row lacks is undefined; values are what they are', async () => {
  const file = write('a.jsonl', '{"text":"one","label":0}\n\n{"label":["x"],"text":"two","note":null}\n');
  const table = await readTable(file);
  expect(table.header).toEqual(['text', 'label', 'note']);
  expect(table.rows).toEqual([
    { line: 1, cells: ['one', 0, undefined] },
    { line: 3, cells: ['two', ['x'], null] },
  ]);
});

test('json: an array of objects, on one line or on many', async () => {
  const rows = [{ text: 'one', label: 'a' }, { text: 'two' }];
  for (const space of [0, 2])
    expect(await readTable(write('a.json', JSON.stringify(rows, null, space)))).toMatchObject({
      header: ['text', 'label'],
      rows: [
        { line: 1, cells: ['one', 'a'] },
        { line: 2, cells: ['two', undefined] },
      ],
    });
});

test.each(['snappy', 'gzip', 'brotli', 'none'])('parquet as pyarrow writes it: %s', async (compression) => {
  const file = fileURLToPath(new URL(`../../test/fixtures/rows-${compression}.parquet`, import.meta.url));
  const { header, rows } = await readTable(file);
  expect(header).toEqual(['text', 'label', 'tags']);
  expect(rows.map(({ cells }) => [...cells].map((cell) => cell ?? null))).toEqual([
    ['one', 1, ['a', 'b']],
    ['two, "quoted"', 0, []],
    ['drei über', null, ['b']],
  ]);
});

test('parquet: of two damaged columns the error is one, and nothing of the other is left', async () => {
  const bytes = readFileSync(new URL('../../test/fixtures/rows-gzip.parquet', import.meta.url));
  bytes.writeUInt8(0, bytes.indexOf('1f8b', 'hex'));
  bytes.write('ELEMENT', bytes.lastIndexOf('element'));
  const file = write('damaged.parquet', '');
  writeFileSync(file, bytes);
  await expect(readTable(file)).rejects.toThrow('damaged.parquet: not a Parquet file that can be read: ');
  // What a promise that nobody waits for throws ends the process, a turn later.
  await setImmediate();
});

test('conll: words and last column by sentence, the line of its first word', async () => {
  const file = write('a.conll', '-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n\n\nPeter NNP B-PER\n');
  expect(await readTable(file)).toMatchObject({
    header: ['tokens', 'labels'],
    rows: [
      {
        line: 3,
        cells: [
          ['EU', 'rejects'],
          ['B-ORG', 'O'],
        ],
      },
      { line: 7, cells: [['Peter'], ['B-PER']] },
    ],
  });
  expect(await readTable(write('w.conll', 'EU\nrejects\n'))).toMatchObject({
    header: ['tokens'],
    rows: [{ cells: [['EU', 'rejects']] }],
  });
  await expect(readTable(write('bad.conll', 'EU B-ORG\nrejects\n'))).rejects.toThrow(
    'bad.conll:2: 1 columns, expected 2.',
  );
});

test('gzip around any of them', async () => {
  const wanted = [['a', '1']];
  expect(await cellsOf(writeBytes('a.csv.gz', gzipSync('text,label\na,1\n')))).toEqual(wanted);
  expect(await cellsOf(writeBytes('a.jsonl.gz', gzipSync('{"text":"a","label":"1"}\n')))).toEqual(wanted);
  await expect(readTable(write('plain.csv.gz', 'text,label\na,1\n'))).rejects.toThrow('not a gzip file');
});

test('encodings: by the mark, by name, and never lost silently', async () => {
  const text = 'text\tlabel\nschön\t1\n';
  const wide = Buffer.from(`\uFEFF${text}`, 'utf16le');
  expect(await cellsOf(writeBytes('wide.tsv', wide))).toEqual([['schön', '1']]);
  expect(await cellsOf(writeBytes('big.tsv', Buffer.from(wide).swap16()))).toEqual([['schön', '1']]);
  const latin = writeBytes('latin.tsv', Buffer.from(text, 'latin1'));
  expect(await cellsOf(latin, { encoding: 'windows-1252' })).toEqual([['schön', '1']]);
  await expect(readTable(latin)).rejects.toThrow(
    'latin.tsv:2: the bytes are no utf-8; say what they are, as --encoding windows-1252.',
  );
  await expect(readTable(latin, { encoding: 'klingon' })).rejects.toThrow(
    "--encoding: 'klingon' is not known",
  );
});

test.each([
  ['wrong.tsv', 'text\tlabel\nok\t0\nshort\n', 'wrong.tsv:3: 1 columns, expected 2 (text, label).'],
  ['long.tsv', 'text\tlabel\na\tb\t0\n', 'long.tsv:2: 3 columns, expected 2 (text, label).'],
  ['empty.tsv', '', 'empty.tsv: the file has no rows.'],
  ['head.tsv', 'text\tlabel\n', 'head.tsv: the file has no rows.'],
  ['bad.jsonl', '{"text":"a"}\n[1]\n', 'bad.jsonl:2: not a JSON object, got [1].'],
  ['python.jsonl', '{"text":"a","score":NaN}\n', 'python.jsonl:1: not a JSON object: '],
  ['python.jsonl', '{"text":"a","score":NaN}\n', 'as Python writes them, are no JSON: write null.'],
  [
    'object.json',
    '{"text":"a"}',
    `object.json: not an array of objects, got {"text":"a"}; write an object a row (pandas: `,
  ],
  ['row.json', '[{"text":"a"}, 3]', 'row.json:2: not a JSON object, got 3.'],
  ['broken.json', '[{"text":', 'broken.json: not JSON: '],
  ['no.parquet', 'PAR2', 'no.parquet: not a Parquet file that can be read: '],
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
  const twice = await readTable(write('twice.csv', 'text,label,label\na,0,1\n'));
  expect(columnOf(twice, 'text', 'text column')).toBe(0);
  expect(() => columnOf(twice, 'label', 'label column')).toThrow(
    "twice.csv: two columns are called 'label' (label column); give each a name of its own.",
  );
});
