import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scratch } from '../../test/scratch.js';
import type { Settings } from '../settings.js';
import { openTask } from './open-task.js';
import { tableTask } from './table-task.js';
import type { TextTask } from './task.js';

const { write, folder } = scratch();
const rows = Array.from({ length: 20 }, (_, i) => `row ${i}\t${['no', 'yes'][i % 2]!}`).join('\n');
const train = write('train.tsv', `text\tlabel\n${rows}\n`);
const jsonl = (name: string, ...objects: object[]): string =>
  write(name, objects.map((object) => `${JSON.stringify(object)}\n`).join(''));

test('classes are those of the training rows, sorted; a tenth is set aside, the same one every time', async () => {
  const task = await tableTask({ train });
  expect(task).toMatchObject({
    task: { name: 'classification', labels: ['no', 'yes'] },
    metrics: ['accuracy'],
  });
  expect([task.train.length, task.evaluation.length]).toEqual([18, 2]);
  expect((await tableTask({ train })).evaluation).toEqual(task.evaluation);
  const texts = new Set([...task.train, ...task.evaluation].map(({ text }) => text));
  expect(texts.size).toBe(20);
});

test('of each class a tenth is set aside, of a rare one a row, of one or two rows none', async () => {
  const names = [...Array<string>(60).fill('often'), ...Array<string>(4).fill('rare'), 'once'];
  const file = write('rare.tsv', `text\tlabel\n${names.map((name, i) => `${i}\t${name}`).join('\n')}\n`);
  const { evaluation, train: rest } = await tableTask({ train: file });
  const count = (list: TextTask['train'], label: number): number =>
    list.filter((row) => row.label === label).length;
  expect([0, 1, 2].map((label) => [count(rest, label), count(evaluation, label)])).toEqual([
    [54, 6],
    [1, 0],
    [3, 1],
  ]);
});

test('whole numbers are sorted as numbers; names may be given in another order', async () => {
  const file = write('n.tsv', 'text\tlabel\na\t10\nb\t-9\nc\t2\n');
  expect((await tableTask({ train: file })).task.labels).toEqual(['-9', '2', '10']);
  expect((await tableTask({ train, labels: ['yes', 'no'] })).task.labels).toEqual(['yes', 'no']);
});

test('other columns, pairs and values', async () => {
  const file = write('r.csv', 'a,b,score\nx,y,1.5\nz,w,-2\n');
  const columns = { textColumn: 'a', pairColumn: 'b', labelColumn: 'score' };
  const task = await tableTask({ train: file, validation: file, ...columns, regression: true });
  expect(task).toMatchObject({ task: { name: 'regression' }, metrics: ['pearson', 'spearman'] });
  expect(task.evaluation[1]).toEqual({ text: 'z', pair: 'w', label: -2 });
});

test('several values a row, by their columns', async () => {
  const file = jsonl('v.jsonl', { text: 'a', price: 1, size: '2.5' }, { text: 'b', price: 0, size: 3 });
  const problem = { problem: 'regression' as const, labelColumns: ['price', 'size'] };
  const task = await tableTask({ train: file, validation: file, ...problem });
  expect(task.task.labels).toEqual(['price', 'size']);
  expect(task.train.map(({ label }) => label)).toEqual([
    [1, 2.5],
    [0, 3],
  ]);
});

test('several values a row, as a list', async () => {
  const problem = 'regression' as const;
  const file = jsonl('lists.jsonl', { text: 'a', label: [1, 2.5] }, { text: 'b', label: [0, 3] });
  const task = await tableTask({ train: file, validation: file, problem });
  expect(task.task.labels).toEqual(['value_0', 'value_1']);
  expect(task.train.map(({ label }) => label)).toEqual([
    [1, 2.5],
    [0, 3],
  ]);
  const named = await tableTask({ train: file, validation: file, problem, labels: ['price', 'size'] });
  expect(named.task.labels).toEqual(['price', 'size']);
  const uneven = jsonl('uneven.jsonl', { text: 'a', label: [1, 2] }, { text: 'b', label: 3 });
  await expect(tableTask({ train: uneven, validation: file, problem })).rejects.toThrow(
    'uneven.jsonl:2: the label must be a list of 2 numbers (value_0, value_1), got 3.',
  );
});

test('several labels a row: lists, text with a separator, a list in a text, columns of 0 and 1', async () => {
  const wanted = [
    [1, 0, 1],
    [0, 1, 0],
    [0, 0, 0],
  ];
  const problem = 'multi-label' as const;
  const lists = jsonl(
    'l.jsonl',
    { text: 'a', tags: ['bug', 'idea'] },
    { text: 'b', tags: ['how-to'] },
    { text: 'c', tags: [] },
  );
  const bars = write('b.csv', 'text,tags\na,bug|idea\nb,how-to\nc,""\n');
  const commas = write('c.csv', 'text,tags\na,"bug, idea"\nb,how-to\nc,""\n');
  const quoted = write('q.tsv', 'text\ttags\na\t["bug","idea"]\nb\t["how-to"]\nc\t[]\n');
  const numbers = jsonl(
    'i.jsonl',
    { text: 'a', tags: [1, 0, 1] },
    { text: 'b', tags: [0, 1, 0] },
    { text: 'c', tags: [0, 0, 0] },
  );
  const hot = write('h.csv', 'text,bug,how-to,idea\na,1,0,true\nb,0,1,0\nc,0,0,False\n');
  for (const settings of [
    { train: lists, labelColumn: 'tags' },
    { train: bars, labelColumn: 'tags' },
    { train: commas, labelColumn: 'tags', labelSeparator: ',' },
    { train: quoted, labelColumn: 'tags' },
    { train: numbers, labelColumn: 'tags', labels: ['bug', 'how-to', 'idea'] },
    { train: hot, labelColumns: ['bug', 'how-to', 'idea'] },
  ]) {
    const task = await tableTask({ ...settings, problem, validation: settings.train });
    expect(task.task).toMatchObject({ name: 'multi-label', labels: ['bug', 'how-to', 'idea'] });
    expect(task.train.map(({ label }) => label)).toEqual(wanted);
  }
  await expect(tableTask({ train: numbers, problem, labelColumn: 'tags' })).rejects.toThrow(
    'i.jsonl:1: the labels are lists of 3 zeros and ones; name them in their order by --labels.',
  );
  await expect(
    tableTask({ train: hot, problem, labelColumns: ['text', 'bug'], validation: hot }),
  ).rejects.toThrow("h.csv:2: 'text' must be 0 or 1, got 'a'.");
});

test('words with their labels: lists, numbers of names, a list in a text, conll', async () => {
  const problem = 'token-classification' as const;
  const wanted = [
    { text: 'Peter left', words: ['Peter', 'left'], label: [0, 1] },
    { text: 'it', words: ['it'], label: [1] },
  ];
  const lists = jsonl(
    't.jsonl',
    { tokens: ['Peter', 'left'], labels: ['B-PER', 'O'] },
    { tokens: ['it'], labels: ['O'] },
  );
  const numbers = jsonl(
    'n.jsonl',
    { words: ['Peter', 'left'], ner_tags: [0, 1] },
    { words: ['it'], ner_tags: [1] },
  );
  const spaces = write('s.tsv', 'tokens\tlabels\nPeter left\tB-PER O\nit\tO\n');
  const conll = write('c.conll', 'Peter B-PER\nleft O\n\nit O\n');
  for (const settings of [
    { train: lists },
    { train: numbers, textColumn: 'words', labelColumn: 'ner_tags', labels: ['B-PER', 'O'] },
    { train: spaces },
    { train: conll },
  ]) {
    const task = await tableTask({ ...settings, problem, validation: settings.train });
    expect(task).toMatchObject({
      task: { name: 'token-classification', labels: ['B-PER', 'O'] },
      metrics: ['entity_f1', 'accuracy'],
    });
    expect(task.train).toEqual(wanted);
  }
  const uneven = jsonl('u.jsonl', { tokens: ['a', 'b'], labels: ['O'] }, { tokens: ['a'], labels: ['B-X'] });
  await expect(tableTask({ train: uneven, problem })).rejects.toThrow('u.jsonl:1: 1 labels for 2 words.');
});

const ofWords = write('words.conll', 'Peter B-PER\nleft O\n\nit O\n');
const list = jsonl('list.jsonl', { text: 'a', label: ['x', 'y'] }, { text: 'b', label: ['x'] });
const missing = jsonl('null.jsonl', { text: 'a', label: 'x' }, { text: 'b', label: null });
const absent = jsonl('absent.jsonl', { text: 'a', label: 'x' }, { text: 'b' });
const noText = jsonl('text.jsonl', { text: 'a', label: 'x' }, { label: 'y' });
const empty = write('empty.csv', 'text,label\na,x\nb,\n');
const scores = write(
  'scores.tsv',
  `text\tlabel\n${Array.from({ length: 30 }, (_, i) => `t${i}\t${i / 8}`).join('\n')}\n`,
);
const values = write('v.tsv', 'text\tlabel\na\t1\nb\t\n');
const one = write('one.tsv', 'text\tlabel\na\tno\nb\tno\n');
const validation = write('dev.tsv', 'text\tlabel\na\tno\nb\tmaybe\n');

test.each<[string, Parameters<typeof tableTask>[0], string]>([
  [
    'an unknown label',
    { train, validation },
    "dev.tsv:3: the label must be one of 'no', 'yes', got 'maybe'.",
  ],
  [
    'words without their problem',
    { train: ofWords },
    'words.conll: a word a line with its label is for --problem token-classification, not for classification.',
  ],
  ['one class', { train: one }, "one.tsv: every label is 'no'"],
  ['no value', { train: values, regression: true }, "v.tsv:3: the label must be a number, got ''."],
  ['another column', { train, textColumn: 'sentence' }, "no column 'sentence'"],
  [
    'a list for one class',
    { train: list },
    'list.jsonl:1: the label is a list, ["x","y"]; for several labels a row say --problem multi-label, for one a word --problem token-classification.',
  ],
  ['an empty label', { train: empty }, 'empty.csv:3: the label is missing.'],
  ['a label of null', { train: missing }, 'null.jsonl:2: the label is missing.'],
  ['no label', { train: absent }, 'absent.jsonl:2: the label is missing.'],
  ['no labels', { train: absent, problem: 'multi-label' }, 'absent.jsonl:2: the label is missing.'],
  ['no text', { train: noText }, "text.jsonl:2: 'text' must hold a text, got nothing."],
  [
    'scores that nobody called classes',
    { train: scores },
    'scores.tsv: the labels of 30 rows are 30 different numbers; say --problem regression if they are values,',
  ],
  [
    'two words for two problems',
    { train, regression: true, problem: 'multi-label' },
    '--regression and --problem multi-label: give one of them.',
  ],
  [
    'two flags for the columns',
    { train, labelColumn: 'label', labelColumns: ['a', 'b'] },
    '--label-column and --label-columns: give one of them.',
  ],
])('%s is a mistake', async (_, settings, message) => {
  await expect(tableTask(settings)).rejects.toThrow(message);
});

test('numbers are classes where somebody says so', async () => {
  expect((await tableTask({ train: scores, problem: 'classification' })).task.labels).toHaveLength(30);
});

test('a key that nobody uses may be absent', async () => {
  const file = jsonl('opt.jsonl', { text: 'a', label: 'x', note: 1 }, { text: 'b', label: 'y' });
  const task = await tableTask({ train: file, validation: file });
  expect(task.train).toEqual([
    { text: 'a', label: 0 },
    { text: 'b', label: 1 },
  ]);
});

test('several label columns, and what stands between labels, are refused where a row has one label', async () => {
  const train = write('several.csv', 'text,bug,idea\na,1,0\nb,0,1\nc,1,1\n');
  const labelColumns = ['bug', 'idea'];
  await expect(tableTask({ train, labelColumns })).rejects.toThrow(
    '--label-columns: bug, idea are several, for --problem multi-label or regression, not for classification;',
  );
  await expect(tableTask({ train, labelColumn: 'bug', labelSeparator: ';' })).rejects.toThrow(
    '--label-separator: is for --problem multi-label, not for classification.',
  );
  const { task } = await tableTask({ train, labelColumns, problem: 'multi-label', validation: train });
  expect(task.labels).toEqual(labelColumns);
});

test('class weights are those of the rows learned from; metrics are checked against the classes', async () => {
  const file = write('w.tsv', 'text\tlabel\na\tx\nb\tx\nc\tx\nd\ty\n');
  const downloads = (): never => {
    throw new Error('nothing is to be fetched');
  };
  const settings = { train: file, validation: file };
  const task = await openTask({ ...settings, classWeights: 'balanced' }, downloads);
  expect(task.classWeights).toEqual([2 / 3, 2]);
  const own = await openTask({ ...settings, classWeights: [1, 2.5] }, downloads);
  expect(own.classWeights).toEqual([1, 2.5]);
  await expect(openTask({ ...settings, classWeights: [1] }, downloads)).rejects.toThrow(
    '--class-weights: must be balanced or a number for each of the classes x, y, got 1.',
  );
  await expect(
    openTask({ ...settings, regression: true, classWeights: 'balanced' }, downloads),
  ).rejects.toThrow("w.tsv:2: the label must be a number, got 'x'.");
  await expect(
    openTask({ ...settings, problem: 'multi-label', labelSmoothing: 0.1 }, downloads),
  ).rejects.toThrow('--label-smoothing: is for one class a row, not for multi-label.');
  const three = write('three.tsv', 'text\tlabel\na\tx\nb\ty\nc\tz\n');
  const metrics = ['accuracy', 'f1'] as const;
  await expect(
    openTask({ train: three, validation: three, metrics: [...metrics] }, downloads),
  ).rejects.toThrow("metrics: 'f1' is of class 1 of two classes; the model has 3; take macro_f1,");
  await expect(openTask({ train: three, validation: three, keepBest: 'f1' }, downloads)).rejects.toThrow(
    "'f1' is of",
  );
});

const nothing = (): never => {
  throw new Error('nothing is to be fetched');
};

test('a folder called spam is a folder as any other', async () => {
  const rows = Array.from({ length: 8 }, (_, row) => `word ${row}\t${row % 2 ? 'yes' : 'no'}\n`).join('');
  const train = write('spam/train.tsv', `text\tlabel\n${rows}`).replace('/train.tsv', '');
  const task = await openTask({ train, limit: 4 }, (run) => run({}));
  expect([task.name, task.train.length]).toEqual(['spam', 4]);
});

test('settings of a table of ones own are refused beside a task', async () => {
  const told = { task: 'rte', data: 'glue' };
  for (const [setting, flag] of [
    [{ validation: 'x.tsv' }, '--validation'],
    [{ problem: 'regression' }, '--problem'],
    [{ labelColumn: 'y' }, '--label-column'],
    [{ labels: ['q'] }, '--labels'],
  ] as const)
    await expect(openTask({ ...told, ...setting } as Settings, nothing)).rejects.toThrow(
      `${flag}: is for a table of your own, given by --train; task 'rte' has rows, columns and labels of its own.`,
    );
  await expect(openTask({ task: 'spam', encoding: 'utf-16le' }, nothing)).rejects.toThrow(
    '--encoding: the spam task has no table;',
  );
});

test('the tables of a task are read in the encoding and by the delimiter that are given', async () => {
  for (const split of ['train', 'dev']) {
    const file = write(`latin/RTE/${split}.tsv`, '');
    writeFileSync(file, Buffer.from('sentence1;sentence2;label\nschön;b;entailment\n', 'latin1'));
  }
  const told = { task: 'rte', data: `${folder}/latin`, delimiter: ';' };
  await expect(openTask(told, (run) => run({}))).rejects.toThrow('the bytes are no utf-8');
  const task = await openTask({ ...told, encoding: 'windows-1252' }, (run) => run({}));
  expect(task.evaluation).toEqual([{ text: 'schön', pair: 'b', label: 0 }]);
});
