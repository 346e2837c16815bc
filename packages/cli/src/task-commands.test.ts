import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { call } from '../test/call.js';
import { scratch } from '../test/scratch.js';
import { sentiment, tinyModel } from '../test/tiny-model.js';
import { Store } from './store/store.js';
import { openRun } from './text-classifier.js';

const home = scratch();
const { write, folder } = home;
const cpu = ['--engine', 'cpu'];
let model: string[] = [];
beforeAll(async () => {
  model = ['--model', await tinyModel(home), ...cpu, '--recipe', 'nodrop', '--learning-rate', '0.02'];
});

const judging = ['good', 'bad', 'fine', 'awful'];
const places = ['film', 'food'];
const texts = Array.from({ length: 16 }, (_, i) => ({
  text: `the ${places[i % 2]!} was ${judging[(i >> 1) % 4]!}`,
  tags: [places[i % 2]!, ...((i >> 1) % 2 === 1 ? ['complaint'] : [])],
  words: ['the', places[i % 2]!, 'was', judging[(i >> 1) % 4]!],
  marks: ['O', i % 2 ? 'B-FOOD' : 'B-FILM', 'O', 'O'],
}));
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const config = (run: string): Record<string, unknown> =>
  JSON.parse(readFileSync(join(run, 'config.json'), 'utf8')) as Record<string, unknown>;

async function train(run: string, ...flags: string[]): Promise<string> {
  const out = join(folder, run);
  const trained = await call(
    'train',
    ...model,
    '--epochs',
    '30',
    '--batch-size',
    '4',
    '--out',
    out,
    ...flags,
  );
  expect([trained.code, trained.error.split('\n').filter((line) => line.startsWith('error'))]).toEqual([
    0,
    [],
  ]);
  return trained.out;
}

test('several labels a row: trained, measured, predicted, and read without the record of the run', async () => {
  const file = write('tags.jsonl', lines(texts.map(({ text, tags }) => ({ id: 7, text, tags }))));
  const out = await train(
    'tags',
    ...['--train', file, '--validation', file, '--label-column', 'tags', '--problem', 'multi-label'],
    ...['--batch-size', '8', '--learning-rate', '0.03', '--epochs', '40'],
  );
  expect(out).toMatch(/^micro_f1 (1\.0|0\.[89])\d+, macro_f1 \d\.\d+, exact_match \d\.\d+, loss /);
  expect(out).toMatch(/^film +1\.0000 +1\.0000 +1\.0000 +8 +8$/m);
  const run = join(folder, 'tags');
  expect(config(run)).toMatchObject({
    problem_type: 'multi_label_classification',
    id2label: { 0: 'complaint', 1: 'film', 2: 'food' },
  });
  // One row whose label is another's is what the report shows first.
  const odd = write('odd-tags.jsonl', lines([{ text: 'the film was good', tags: [] }, ...texts.slice(0, 3)]));
  await train(
    'odd-tags',
    ...['--model', run, '--train', file, '--validation', odd, '--label-column', 'tags'],
    ...['--problem', 'multi-label', '--steps', '1', '--learning-rate', '0'],
  );
  const report = JSON.parse((await call('report', join(folder, 'odd-tags'), '--json')).out) as {
    wrong: object[];
  };
  expect(report.wrong[0]).toMatchObject({
    ...{ label: 'none', text: 'the film was good' },
    predicted: expect.stringContaining('film') as string,
  });
  const text = 'the food was awful';
  const tsv = await call('predict', run, text, ...cpu);
  const [head, row] = tsv.out.split('\n').map((line) => line.split('\t'));
  expect(head).toEqual(['labels', 'complaint', 'film', 'food', 'text']);
  expect(row![0]!.split('|')).toContain('food');
  const json = await call('predict', run, '--input', file, '--format', 'jsonl', ...cpu);
  expect(JSON.parse(json.out.split('\n')[0]!)).toMatchObject({
    ...{ id: 7, tags: ['film'], labels: expect.arrayContaining(['film']) as string[] },
    probabilities: { film: expect.closeTo(1, 0) as number },
  });
  const measured = await call('evaluate', run, '--table', file, ...cpu);
  expect(measured.out.split(' on ')[0]).toBe(out.split(' on ')[0]);
  // What another tool would have saved.
  rmSync(join(run, 'hypetune.json'));
  const plain = await call('predict', run, text, ...cpu);
  expect(plain.out).toBe(tsv.out);
  const table = ['--table', file, '--label-column', 'tags'];
  expect((await call('evaluate', run, ...table, ...cpu)).out).toBe(measured.out);
  expect((await call('evaluate', run, ...cpu)).error).toContain('has no rows of its own; name a table');
});

test('words: entities are measured, each word has its label, one beyond the length has none', async () => {
  const rows = texts.map(({ words, marks }) => ({ tokens: words, labels: marks }));
  const file = write('words.jsonl', lines(rows));
  const odd = { tokens: ['the', 'film', 'was', 'bad'], labels: ['O', 'B-FOOD', 'O', 'O'] };
  const test = write('odd.jsonl', lines([...rows.slice(0, 2), odd]));
  const task = ['--train', file, '--validation', file, '--problem', 'token-classification'];
  const out = await train('words', ...task, '--test', test);
  expect(out).toMatch(/^entity_f1 1\.0000, accuracy 1\.0000, loss /);
  expect(out).toMatch(/^FILM +0\.5000 +1\.0000 +0\.6667 +1 +2$/m);
  const run = join(folder, 'words');
  expect(config(run)).toMatchObject({ architectures: ['BertForTokenClassification'] });
  const record = readFileSync(join(run, 'hypetune.json'), 'utf8');
  expect(JSON.parse(record)).toMatchObject({ intervals: { entity_f1: [1, 1], accuracy: [1, 1] } });
  const report = JSON.parse((await call('report', run, '--json')).out) as { wrong: object[] };
  expect(report).toMatchObject({
    classes: { classes: [{ name: 'FILM', support: 1, recall: 1 }, { name: 'FOOD' }] },
    wrong: [{ label: 'O B-FOOD O O', predicted: 'O B-FILM O O', text: 'the film was bad' }],
  });
  expect(report.wrong).toHaveLength(1);
  const conll = write('new.conll', 'the\nfilm\nwas\nbad\n\nthe\nfood\n');
  const tsv = await call('predict', run, '--input', conll, ...cpu);
  expect(tsv.out).toBe('labels\ttokens\nO B-FILM O O\tthe film was bad\nO B-FOOD\tthe food\n');
  const long = `${'a '.repeat(30)}film`;
  const json = await call('predict', run, long, '--format', 'json', ...cpu);
  expect(json.error).toContain('1 of 1 rows are cut to 24 tokens');
  const [first] = JSON.parse(json.out) as { labels: (string | null)[] }[];
  expect(first!.labels).toHaveLength(31);
  expect(first!.labels.at(-1)).toBeNull();
  const measured = await call('evaluate', run, '--table', file, ...cpu);
  expect(measured.out).toMatch(/^entity_f1 1\.0000/);
  expect(measured.out).toMatch(/^FILM +1\.0000 +1\.0000 +1\.0000 +8 +8$/m);
  const place = join(folder, 'words-store');
  const once = ['--steps', '1', '--recipes', 'vanilla', '--seeds', '1', '--store', place];
  expect(
    (await call('compare', ...model.slice(0, 4), ...task, '--evaluation-limit', '1', ...once)).code,
  ).toBe(0);
  const store = await Store.open(place);
  const [kept] = await store.predictions((await store.keys())[0]!);
  expect(kept!.label).toHaveLength(kept!.logits.length / 3);
});

test('several values a row, the label column named once for each', async () => {
  const rows = texts.map(({ text }, i) => `${text},${i % 2},${(i >> 1) % 2}`);
  const file = write('values.csv', `text,place,bad\n${rows.join('\n')}\n`);
  const out = await train(
    'values',
    ...['--train', file, '--validation', file, '--problem', 'regression'],
    ...['--label-column', 'place', '--label-column', 'bad', '--metrics', 'rmse,pearson', '--epochs', '10'],
  );
  expect(out).toMatch(/^rmse 0\.\d+, pearson 0\.\d+, loss /);
  expect(config(join(folder, 'values'))).toMatchObject({
    problem_type: 'regression',
    id2label: { 0: 'place', 1: 'bad' },
  });
  const csv = await call('predict', join(folder, 'values'), '--input', file, '--format', 'csv', ...cpu);
  expect(csv.out.split('\n')[0]).toBe('predicted_place,predicted_bad,text,place,bad');
  const report = JSON.parse((await call('report', join(folder, 'values'), '--json')).out) as {
    wrong: { label: string; predicted: string }[];
  };
  expect(report.wrong).toHaveLength(16);
  expect(report.wrong[0]!.label).toMatch(/^[01]\.0000, [01]\.0000$/);
  expect(report.wrong[0]!.predicted).toMatch(/^-?\d\.\d{4}, -?\d\.\d{4}$/);
});

test('class weights and smoothing; each probability under its class; a table is read by its own columns', async () => {
  const rows = texts.map(
    ({ text }, i) => `"${text}, ""so""";${['-1', '0', '1'][i % 5 === 0 ? 0 : (i % 2) + 1]!}`,
  );
  const file = write('scores.csv', `subject;rating\n${rows.join('\n')}\n`);
  const flags = ['--text-column', 'subject', '--label-column', 'rating', '--class-weights', 'balanced'];
  const trained = await call(
    'train',
    ...[...model, '--epochs', '1', '--train', file, '--validation', file, ...flags],
    ...['--label-smoothing', '0.1', '--metrics', 'macro_f1', '--out', join(folder, 'scores')],
  );
  expect(trained.error).toContain('to learn: -1 4, 0 6, 1 6');
  const record = JSON.parse(readFileSync(join(folder, 'scores', 'hypetune.json'), 'utf8')) as {
    task: { classWeights: number[] };
  };
  expect(record.task.classWeights[0]).toBeCloseTo(16 / 12, 6);
  const predicted = await call('predict', join(folder, 'scores'), '--input', file, ...cpu);
  const [head, ...cells] = predicted.out
    .trim()
    .split('\n')
    .map((line) => line.split('\t'));
  expect(head).toEqual(['label', '-1', '0', '1', 'subject', 'rating']);
  expect(cells).toHaveLength(16);
  for (const [label, ...rest] of cells) {
    const probabilities = rest.slice(0, 3).map(Number);
    expect(head!.slice(1, 4)[probabilities.indexOf(Math.max(...probabilities))]).toBe(label);
  }
  // Training and evaluation weigh rows alike.
  const loss = /loss (\S+)/.exec(trained.out)![1]!;
  const again = await call('evaluate', join(folder, 'scores'), '--json', ...cpu);
  const parsed = JSON.parse(again.out) as { loss: number; report: { confusion: number[][] } };
  expect(parsed.loss).toBeCloseTo(Number(loss), 4);
  expect(parsed.report.confusion.flat().reduce((sum, count) => sum + count, 0)).toBe(16);
});

test('a pair run and a GLUE run read tables by their own columns, and refuse ones without', async () => {
  const rte = 'index\tsentence1\tsentence2\tlabel\n';
  const row = (i: number): string =>
    `${i}\tgood film\t${i % 2 ? 'bad' : 'fine'}\t${i % 2 ? 'not_' : ''}entailment\n`;
  const rows = Array.from({ length: 8 }, (_, i) => row(i)).join('');
  write('glue/RTE/train.tsv', rte + rows);
  const dev = write('glue/RTE/dev.tsv', rte + rows);
  const run = join(folder, 'rte');
  await call('train', ...model, '--epochs', '1', '--task', 'RTE', '--data', `${folder}/glue`, '--out', run);
  const own = await call('evaluate', run, ...cpu);
  expect(own.out).toMatch(/^accuracy /);
  expect((await call('evaluate', run, '--table', dev, ...cpu)).out).toBe(own.out);
  const predicted = await call('predict', run, '--input', dev, ...cpu);
  expect(predicted.out.split('\n')).toHaveLength(10);
  const odd = write('odd.csv', '');
  writeFileSync(odd, Buffer.from(`${rte}${rows}`.replaceAll('\t', '§'), 'latin1'));
  const reading = ['--delimiter', '§', '--encoding', 'windows-1252', ...cpu];
  expect((await call('evaluate', run, '--table', odd, ...reading)).out).toBe(own.out);
  expect((await call('predict', run, '--input', odd, ...reading)).out).toBe(predicted.out);
  expect((await call('evaluate', run, '--delimiter', ';', ...cpu)).error).toContain(
    "there is no column 'label'",
  );
  expect((await call('evaluate', run, '--text-column', 'x', ...cpu)).error).toContain(
    '--text-column: is for',
  );
  const single = write('single.csv', 'text,label\ngood,entailment\n');
  expect((await call('evaluate', run, '--table', single, ...cpu)).error).toMatch(
    /there is no column 'sentence1' \(text column\)/,
  );
  const named = ['--table', single, '--text-column', 'text'];
  expect((await call('evaluate', run, ...named, ...cpu)).error).toContain(
    '--pair-column: the run takes pairs of texts',
  );
});

test('a run is measured on other tasks, their classes counted as its own, several in one report', async () => {
  const head = 'sentence1\tsentence2\tgold_label\n';
  const three = `${head}good\tfine\tentailment\ngood\tbad\tcontradiction\nday\tnight\tneutral\nx\ty\t-\n`;
  for (const split of ['train', 'dev_matched']) write(`nli/MNLI/${split}.tsv`, three);
  write('nli/SNLI/snli_1.0_dev.txt', three);
  write(
    'nli/HANS/heuristics_evaluation_set.txt',
    `${head}good\tday\tnon-entailment\nfilm\tfilm\tentailment\n`,
  );
  const model = ['--model', await tinyModel(home), '--engine', 'cpu', '--epochs', '1'];
  const [run, page] = [join(folder, 'mnli-run'), join(folder, 'transfer.html')];
  const trained = await call('train', ...model, '--task', 'mnli', '--data', `${folder}/nli`, '--out', run);
  expect(trained.error).toContain('mnli: 3 rows to learn from, 3 to measure on');
  const told = ['evaluate', run, '--engine', 'cpu', '--task', 'snli,hans'];
  const { out, error } = await call(...told, '--json', '--out', page);
  const figures = JSON.parse(out) as Record<
    string,
    { rows: number; labelMap: string; report: { confusion: [] } }
  >;
  expect(figures).toMatchObject({
    snli: { rows: 3, labelMap: '' },
    hans: { rows: 2, labelMap: 'neutral=non-entailment,contradiction=non-entailment' },
  });
  expect([figures.snli!, figures.hans!].map(({ report }) => report.confusion.length)).toEqual([3, 2]);
  expect(error).toContain('hans: neutral=non-entailment,contradiction=non-entailment');
  const html = readFileSync(page, 'utf8');
  for (const text of ['What transfers', '<h2>snli</h2>', '<h2>hans</h2>', 'neutral=non-entailment'])
    expect(html).toContain(text);
  expect((await call(...told)).out).toMatch(/^measured on +rows +loss +accuracy +counted as\nsnli +3 /);
  const refused = async (...flags: string[]): Promise<string> =>
    (await call('evaluate', run, ...flags)).error;
  expect(await refused('--task', 'sst-2')).toContain('data: neither a folder SST-2 nor a table');
  expect(await refused('--task', 'sts-b')).toContain(
    "--task: 'sts-b' is a regression, the run a classification.",
  );
  expect(await refused('--task', 'snli', '--split', 'test')).toContain('nor a table test (');
  expect(await refused('--task', 'hans', '--label-map', 'neutral=other')).toContain(
    "task 'hans': the label must be one of 'entailment', 'other', 'contradiction', got 'non-entailment'.",
  );
});

test('a classifier that another tool saved takes single texts and pairs, and drops none', async () => {
  const foreign = await tinyModel(home);
  const rows = [
    { text: 'good film', pair: 'bad night', label: 'yes' },
    { text: 'bad food', pair: 'great day', label: 'no' },
  ];
  const lines = write('lines.txt', rows.map(({ text, pair }) => `${text}\t${pair}\n`).join(''));
  const pairs = write('pairs.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const argued = await call(
    'predict',
    foreign,
    ...rows.flatMap(({ text, pair }) => [text, pair]),
    '--pair',
    ...cpu,
  );
  expect(argued.out.trim().split('\n')).toHaveLength(3);
  expect((await call('predict', foreign, '--input', lines, '--pair', ...cpu)).out).toBe(argued.out);
  expect((await call('predict', foreign, ...rows.map(({ text }) => text), ...cpu)).out).not.toBe(argued.out);
  const named = ['--text-column', 'text', '--pair-column', 'pair', '--label-column', 'label'];
  const measured = await call('evaluate', foreign, '--table', pairs, ...named, '--json', ...cpu);
  const opened = await openRun(foreign, { engine: 'cpu' });
  const { loss } = JSON.parse(measured.out) as { loss: number };
  expect((await opened.evaluate(rows)).loss).toBeCloseTo(loss, 6);
  const single = await opened.evaluate(rows.map(({ text, label }) => ({ text, label })));
  expect(Math.abs(single.loss - loss)).toBeGreaterThan(1e-4);
  const [first] = await opened.predict([{ text: 'good film', pair: 'bad night' }]);
  expect(argued.out).toContain(first!.probabilities['yes']!.toFixed(4));
  opened.dispose();
});

test('a run of single texts measures no pairs', async () => {
  const [table, run] = [write('one/train.tsv', sentiment(12)), join(folder, 'singles')];
  const tiny = ['--model', await tinyModel(home), '--engine', 'cpu', '--epochs', '1'];
  await call('train', ...tiny, '--train', table, '--out', run);
  const { code, error } = await call('evaluate', run, '--table', table, '--pair-column', 'text', ...cpu);
  expect([code, error]).toEqual([
    1,
    expect.stringContaining('--pair-column: the run takes single texts; leave it out.'),
  ]);
  expect((await call('predict', run, 'a', 'b', '--pair', ...cpu)).error).toContain(
    '--pair: the run takes single texts.',
  );
  const opened = await openRun(run, { engine: 'cpu' });
  await expect(opened.evaluate([{ text: 'a', pair: 'b', label: 'yes' }])).rejects.toThrow(
    'evaluate: row 1 must be one text, not a pair.',
  );
  opened.dispose();
});

test('a folder of tables is learned from as a table is', async () => {
  write('tables/train.tsv', sentiment(12));
  write('tables/validation.tsv', sentiment(6));
  const model = ['--model', await tinyModel(home), '--engine', 'cpu', '--steps', '1'];
  const { error } = await call('train', ...model, '--train', join(folder, 'tables'));
  expect(error).toContain('tables: 12 rows to learn from, 6 to measure on');
  expect((await call('train', ...model, '--train', folder)).error).toContain('has no table called train.');
});
