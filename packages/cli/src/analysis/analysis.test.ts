import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { call } from '../../test/call.js';
import { scratch } from '../../test/scratch.js';
import { fitProbe } from './linear-probe.js';
import { tokenSimilarity } from './token-similarity.js';

const { write, folder } = scratch();

interface Written {
  readonly vocabulary: readonly string[];
  readonly train: readonly object[];
  readonly dev: readonly object[];
  readonly similarity: Readonly<Record<'texts' | 'special', readonly number[]>>;
  readonly probes: Readonly<Record<'mean' | 'first', readonly { accuracy: number; trainAccuracy: number }[]>>;
  readonly probe: Readonly<
    Record<'features' | 'others' | 'probabilities', readonly (readonly number[])[]>
  > & {
    readonly labels: readonly number[];
  };
  readonly binary: {
    readonly labels: readonly number[];
    readonly probabilities: readonly (readonly number[])[];
  };
}

/** What `make_analysis.py` found by PyTorch and scikit-learn. */
const written = JSON.parse(
  readFileSync(new URL('../../test/fixtures/analysis/analysis.json', import.meta.url), 'utf8'),
) as Written;

const model = join(folder, 'bert');
write('bert/vocab.txt', `${written.vocabulary.join('\n')}\n`);
for (const name of ['config.json', 'model.safetensors'])
  copyFileSync(
    fileURLToPath(new URL(`../../../models/fixtures/bert/${name}`, import.meta.url)),
    join(model, name),
  );
const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const data = [
  ...['--train', write('train.jsonl', lines(written.train))],
  ...['--validation', write('dev.jsonl', lines(written.dev)), '--engine', 'cpu'],
];

test('cosines by hand: two tokens at a right angle, one of them twice as long, and one left out', () => {
  const vectors = Float32Array.from([1, 0, 9, 9, 0, 2, 3, 0]);
  expect(tokenSimilarity(vectors, 2, [0, 2])).toBeCloseTo(0, 6);
  expect(tokenSimilarity(vectors, 2, [0, 2, 3])).toBeCloseTo(1 / 3, 6);
  expect(tokenSimilarity(vectors, 2, [0])).toBeNaN();
});

test.each([
  [3, written.probe],
  [2, written.binary],
])("a probe of %d classes gives scikit-learn's probabilities", (classes, { labels, probabilities }) => {
  const { features, others } = written.probe;
  const of = (rows: readonly (readonly number[])[]): Parameters<typeof fitProbe>[0] => ({
    ...{ rows: rows.length, width: rows[0]!.length, values: Float64Array.from(rows.flat()) },
  });
  const scores = fitProbe(of(features), labels, classes).scores(of(others));
  for (const [row, wanted] of probabilities.entries()) {
    const exponentials = wanted.map((_, label) => Math.exp(scores[row * classes + label]!));
    const sum = exponentials.reduce((total, value) => total + value, 0);
    for (const [label, value] of wanted.entries()) expect(exponentials[label]! / sum).toBeCloseTo(value, 5);
  }
});

test('a probe takes very many features', () => {
  const [rows, width] = [2, 70_000];
  const values = Float64Array.from({ length: rows * width }, (_, place) => Math.floor(place / width));
  const features = { rows, width, values };
  const scores = fitProbe(features, [0, 1], 2).scores(features);
  expect(scores[0]! > scores[1]! && scores[3]! > scores[2]!).toBe(true);
});

test('similarity: the tokens of texts alone, or those around them too, as PyTorch has it', async () => {
  const page = join(folder, 'similarity.html');
  const told = ['similarity', model, ...data];
  const { out } = await call(...told, '--json', '--out', page);
  const [layers] = Object.values(
    JSON.parse(out) as Record<string, { similarity: number; low: number; high: number }[]>,
  );
  expect(layers).toHaveLength(3);
  for (const [layer, { similarity, low, high }] of layers!.entries()) {
    expect(similarity).toBeCloseTo(written.similarity.texts[layer]!, 5);
    expect(low < similarity && similarity < high).toBe(true);
  }
  const special = await call(...told, '--special-tokens');
  const printed = special.out.trim().split('\n').slice(1);
  expect(printed.map((line) => Number(line.split(/\s+/).at(-1)))).toEqual(
    written.similarity.special.map((value) => Number(value.toFixed(4))),
  );
  expect(readFileSync(page, 'utf8')).toContain(
    'aria-label="cosine similarity of tokens by layer, at the end: ',
  );
});

test('probe: the figures of scikit-learn on the states of PyTorch, pooled in two ways', async () => {
  const page = join(folder, 'probe.html');
  for (const pooling of ['mean', 'first'] as const) {
    const { out } = await call('probe', model, ...data, '--pooling', pooling, '--json', '--out', page);
    const [layers] = Object.values(
      JSON.parse(out) as Record<string, { metrics: object; trainAccuracy: number }[]>,
    );
    expect(layers!.map(({ metrics, trainAccuracy }) => ({ ...metrics, trainAccuracy }))).toEqual(
      written.probes[pooling],
    );
  }
  expect(readFileSync(page, 'utf8')).toContain('of the first token of a row; learned from 36 rows');
  const values = ['--problem', 'multi-label'];
  expect((await call('probe', model, ...data, ...values)).error).toContain(
    'hypetune probe: is for one class a row',
  );
  expect((await call('similarity', model)).error).toContain(
    'has no rows of its own; name a task, or a table',
  );
});

test('--also-measure: the rows learned from as evaluate finds them, and what similarity finds', async () => {
  const run = join(folder, 'run');
  const asked = ['--steps', '2', '--also-measure', 'training,similarity', '--out', run, '--json'];
  const { out, error } = await call('train', '--model', model, ...data, ...asked);
  expect(error).not.toContain('error');
  const { training, similarity } = JSON.parse(out) as {
    training: { loss: number; metrics: object };
    similarity: number[];
  };
  const learned = await call('evaluate', run, '--table', data[1]!, '--engine', 'cpu', '--json');
  expect(JSON.parse(learned.out)).toMatchObject({ loss: expect.closeTo(training.loss, 5) as unknown });
  const told = await call('similarity', run, ...data, '--json');
  const [layers] = Object.values(JSON.parse(told.out) as Record<string, { similarity: number }[]>);
  expect(similarity).toEqual(layers!.map((layer): unknown => expect.closeTo(layer.similarity, 5)));
  const store = join(folder, 'store');
  await call(
    'compare',
    '--model',
    model,
    ...data,
    ...asked.slice(0, 4),
    '--seeds',
    '1',
    '--recipes',
    'nodrop',
    '--store',
    store,
  );
  const [key] = readdirSync(join(store, 'runs'));
  const record = JSON.parse(readFileSync(join(store, 'runs', key!, 'record.json'), 'utf8')) as object;
  expect(record).toMatchObject({
    identity: { alsoMeasure: ['similarity', 'training'] },
    training: { rows: written.train.length },
  });
  expect(record).toHaveProperty('similarity.length', 3);
});
