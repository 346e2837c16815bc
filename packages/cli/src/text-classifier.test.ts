import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, expectTypeOf, test } from 'vitest';
import { call } from '../test/call.js';
import { scratch } from '../test/scratch.js';
import { tinyModel } from '../test/tiny-model.js';
import { readExamples } from './examples.js';
import { openRun, TextClassifier, type TextClassifierOptions } from './text-classifier.js';

const home = scratch();
let settings: TextClassifierOptions = {};
beforeAll(async () => {
  const model = await tinyModel(home);
  settings = { model, engine: 'cpu', recipe: 'nodrop', learningRate: 0.02, batchSize: 4, epochs: 30 };
});

const judging = ['good', 'bad', 'fine', 'awful'];
const texts = Array.from(
  { length: 16 },
  (_, i) => `the ${i % 2 ? 'food' : 'film'} was ${judging[(i >> 1) % 4]!}`,
);
const classes = texts.map((text) => (/bad|awful/.test(text) ? 'complaint' : 'praise'));
const rows = texts.map((text, i) => ({ text, label: classes[i]! }));

test('texts and labels in, predictions out; what was saved predicts the same, by the library and the command', async () => {
  const log: string[] = [];
  const classifier = new TextClassifier({ ...settings, log: (line) => log.push(line) });
  const { metrics, training } = await classifier.fit(rows, { validation: rows });
  expect(metrics.accuracy).toBe(1);
  expect(training.steps).toBe(120);
  expect(log.join()).toContain('engine: cpu');
  expect([classifier.kind, classifier.labels]).toEqual(['classification', ['complaint', 'praise']]);
  const said = await classifier.predict(['the film was good', { text: 'the food was awful' }]);
  expect(said.map(({ label }) => label)).toEqual(['praise', 'complaint']);
  expect(Object.keys(said[0]!.probabilities)).toEqual(['complaint', 'praise']);
  const folder = join(home.folder, 'saved');
  await classifier.save(folder);
  await expect(classifier.save(folder)).rejects.toThrow('saved');
  await classifier.save(folder, { force: true });
  classifier.dispose();
  expect(() => classifier.labels).toThrow('call fit first');

  const before = tf.memory().numTensors;
  const saved = await openRun(folder, { engine: 'cpu' });
  expect(await saved.predict(['the film was good', 'the food was awful'])).toEqual(said);
  expect((await saved.evaluate(rows)).metrics).toEqual(metrics);
  // Calls may overlap.
  const [one, two] = await Promise.all([saved.predict(texts), saved.evaluate(rows)]);
  expect(one.map(({ label }) => label)).toEqual(classes);
  expect(two.metrics.accuracy).toBe(1);
  await expect(saved.evaluate([{ text: 'good', label: 'joy' }])).rejects.toThrow(
    "rows:1: the label must be one of 'complaint', 'praise', got 'joy'",
  );
  await expect(saved.predict([{ text: 'a', pair: 'b' }])).rejects.toThrow('text 1 must be one text');
  expect(await saved.predict([])).toEqual([]);
  saved.dispose();
  await expect(saved.predict(['x'])).rejects.toThrow('disposed');
  expect(tf.memory().numTensors).toBe(before);

  const { out } = await call('predict', folder, 'the film was good', '--engine', 'cpu', '--format', 'jsonl');
  expect(JSON.parse(out)).toEqual({ text: 'the film was good', ...said[0] });
  const record = JSON.parse(readFileSync(join(folder, 'hypetune.json'), 'utf8')) as object;
  expect(record).toMatchObject({
    finished: true,
    metrics: { accuracy: 1 },
    config: { recipe: { name: 'nodrop' } },
  });
});

test('pairs, several labels, values and words', async () => {
  const fit = async (
    problem: TextClassifierOptions['problem'],
    labelOf: (i: number) => string | number | (string | number)[],
    input = (text: string): object => ({ text }),
  ): Promise<TextClassifier> => {
    const classifier = new TextClassifier({ ...settings, problem, epochs: 15, batchSize: 8 });
    const examples = texts.map((text, i) => ({ ...input(text), label: labelOf(i) }));
    await classifier.fit(examples, { validation: examples });
    return classifier;
  };
  const several = await fit('multi-label', (i) => [
    i % 2 ? 'food' : 'film',
    ...(classes[i] === 'complaint' ? ['complaint'] : []),
  ]);
  expect((await several.predict(['the food was bad']))[0]!.labels).toContain('food');
  several.dispose();
  const values = await fit('regression', (i) => (classes[i] === 'complaint' ? -1 : 1));
  expect(Object.values((await values.predict(['the food was bad']))[0]!.values!)[0]).toBeCloseTo(-1, 0);
  values.dispose();
  const two = await fit('regression', (i) => [i % 2, classes[i] === 'complaint' ? -1 : 1]);
  expect(Object.keys((await two.predict(['the food was bad']))[0]!.values!)).toEqual(['value_0', 'value_1']);
  const { metrics } = await two.evaluate(texts.map((text, i) => ({ text, label: [i % 2, i % 3] })));
  expect(Object.keys(metrics)).toEqual(['pearson', 'spearman']);
  two.dispose();
  const words = await fit(
    'token-classification',
    (i) => ['O', i % 2 ? 'B-FOOD' : 'B-FILM', 'O', 'O'],
    (text) => ({ words: text.split(' ') }),
  );
  expect((await words.predict(['the food was bad']))[0]!.labels).toEqual(['O', 'B-FOOD', 'O', 'O']);
  words.dispose();
  const pairs = await fit(
    undefined,
    (i) => classes[i]!,
    (text) => ({ text: 'the film', pair: text }),
  );
  expect((await pairs.predict([{ text: 'the film', pair: 'the food was bad' }]))[0]!.label).toBe('complaint');
  await expect(pairs.predict(['alone'])).rejects.toThrow('text 1 must be a pair');
  pairs.dispose();
});

test('what is wrong is said before anything is trained', async () => {
  expect(() => new TextClassifier({ epochs: 0 })).toThrow('TextClassifier: epochs');
  expect(() => new TextClassifier({ epoch: 1 } as object)).toThrow(
    "unknown setting 'epoch', did you mean 'epochs'?",
  );
  await expect(new TextClassifier({ recipe: 'hope' }).fit(rows)).rejects.toThrow('hype');
  await expect(new TextClassifier(settings).fit([])).rejects.toThrow('rows: there are no rows');
  await expect(
    new TextClassifier(settings).fit([
      { text: 'a', label: '' },
      { text: 'b', label: 'x' },
    ]),
  ).rejects.toThrow('rows:1: the label is missing');
  await expect(
    new TextClassifier(settings).fit([
      { text: 'a', label: 'x' },
      { text: 'b', pair: 'c', label: 'y' },
    ]),
  ).rejects.toThrow("rows:1: 'pair' must hold a text, got nothing");
  await expect(new TextClassifier({ methods: ['hypetune-none'] }).fit(rows)).rejects.toThrow(
    "TextClassifier: methods: 'hypetune-none' does not resolve",
  );
  await expect(new TextClassifier(settings).predict(['x'])).rejects.toThrow('call fit first');
  const stopped = new TextClassifier(settings).fit(rows, { signal: AbortSignal.abort(new Error('enough')) });
  await expect(stopped).rejects.toThrow('enough');
});

test('settings that say where rows come from are not for it', () => {
  expectTypeOf<TextClassifierOptions>().not.toHaveProperty('train');
  expectTypeOf<TextClassifierOptions>().toHaveProperty('epochs');
});

test('rows of a table', async () => {
  const file = home.write('tickets.csv', 'subject,team\n"late, again",post\nbroken,repair\n');
  expect(await readExamples(file, { text: 'subject', label: 'team' })).toEqual([
    { text: 'late, again', label: 'post' },
    { text: 'broken', label: 'repair' },
  ]);
  await expect(readExamples(file)).rejects.toThrow("there is no column 'text'");
});
