import { expect, test } from 'vitest';
import { scratch } from '../../test/scratch.js';
import { tableTask } from './table-task.js';

const { write } = scratch();
const rows = Array.from({ length: 20 }, (_, i) => `row ${i}\t${['no', 'yes'][i % 2]!}`).join('\n');
const train = write('train.tsv', `text\tlabel\n${rows}\n`);

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

test('whole numbers are sorted as numbers; names may be given in another order', async () => {
  const file = write('n.tsv', 'text\tlabel\na\t10\nb\t9\nc\t2\n');
  expect((await tableTask({ train: file })).task.labels).toEqual(['2', '9', '10']);
  expect((await tableTask({ train, labels: ['yes', 'no'] })).task.labels).toEqual(['yes', 'no']);
});

test('other columns, pairs and values', async () => {
  const file = write('r.csv', 'a,b,score\nx,y,1.5\nz,w,-2\n');
  const task = await tableTask({
    ...{
      train: file,
      validation: file,
      textColumn: 'a',
      pairColumn: 'b',
      labelColumn: 'score',
      regression: true,
    },
  });
  expect(task).toMatchObject({ task: { name: 'regression' }, metrics: ['pearson', 'spearman'] });
  expect(task.evaluation[1]).toEqual({ text: 'z', pair: 'w', label: -2 });
});

test('mistakes name the file and the line', async () => {
  const validation = write('dev.tsv', 'text\tlabel\na\tno\nb\tmaybe\n');
  await expect(tableTask({ train, validation })).rejects.toThrow(
    "dev.tsv:3: the label must be one of 'no', 'yes', got 'maybe'.",
  );
  const one = write('one.tsv', 'text\tlabel\na\tno\nb\tno\n');
  await expect(tableTask({ train: one })).rejects.toThrow("one.tsv: every label is 'no'");
  const values = write('v.tsv', 'text\tlabel\na\t1\nb\t\n');
  await expect(tableTask({ train: values, regression: true })).rejects.toThrow(
    "v.tsv:3: the label must be a number, got ''.",
  );
  await expect(tableTask({ train, textColumn: 'sentence' })).rejects.toThrow("no column 'sentence'");
});
