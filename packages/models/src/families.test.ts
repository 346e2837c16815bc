import '@tensorflow/tfjs-backend-cpu';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Tensor, io, memory, setBackend, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { type StoredTensor, parseSafetensors, serializeSafetensors } from '@hypetune/safetensors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildModel, loadModel, modelConfig, namedWeights, positionsOf, saveModel } from './index.js';
import { distanceBucket } from './layers/relative-position-bias.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/families', import.meta.url));
const names = readdirSync(FIXTURES);
const root = mkdtempSync(join(tmpdir(), 'families-'));

beforeAll(() => setBackend('cpu'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

function json(name: string, file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(FIXTURES, name, file), 'utf8')) as Record<string, unknown>;
}

function stored(name: string): Map<string, StoredTensor> {
  return parseSafetensors(readFileSync(join(FIXTURES, name, 'model.safetensors')), name);
}

function logitsOf(name: string, model: LayersModel): Float32Array {
  const { inputIds, attentionMask, tokenTypeIds } = json(name, 'expected.json') as Record<string, number[][]>;
  return tidy(() => {
    const inputs = [inputIds!, attentionMask!, tokenTypeIds!].map((rows) =>
      tensor2d(rows, undefined, 'int32'),
    );
    return (model.predict(inputs) as Tensor).dataSync() as Float32Array;
  });
}

/** A copy of a fixture with other tensors and other keys in config.json; undefined deletes a key. */
function variant(
  name: string,
  change: (tensors: Map<string, StoredTensor>) => Iterable<readonly [string, StoredTensor]>,
  config: Record<string, unknown> = {},
): string {
  const folder = mkdtempSync(join(root, 'variant-'));
  cpSync(join(FIXTURES, name), folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...json(name, 'config.json'), ...config }));
  writeFileSync(join(folder, 'model.safetensors'), serializeSafetensors(change(stored(name))));
  return folder;
}

test.each(names)('%s: a saved folder has the same tensors and settings to the bit', async (name) => {
  const before = memory().numTensors;
  const { model } = await loadModel(join(FIXTURES, name));
  const folder = join(root, 'saved', name);
  await saveModel(model, folder);
  model.dispose();
  expect(parseSafetensors(readFileSync(join(folder, 'model.safetensors')))).toEqual(stored(name));
  const saved = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
  expect(saved).toMatchObject(json(name, 'config.json'));
  const floats = (text: string): string[] =>
    text.match(/"\w+(_eps|_range|_factor|_theta)": [\d.]+\.0\b/g) ?? [];
  const text = (at: string): string => readFileSync(join(at, 'config.json'), 'utf8');
  expect(floats(text(folder)).sort()).toEqual(floats(text(join(FIXTURES, name))).sort());
  expect(memory().numTensors).toBe(before);
});

test.each(names)('%s: a model that tfjs saved and loaded gives the same logits', async (name) => {
  const { model } = await loadModel(join(FIXTURES, name));
  let saved: io.ModelArtifacts | undefined;
  await model.save(
    io.withSaveHandler((artifacts) => {
      saved = JSON.parse(JSON.stringify({ ...artifacts, weightData: undefined })) as io.ModelArtifacts;
      saved.weightData = artifacts.weightData!;
      return Promise.resolve({
        modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' as const },
      });
    }),
  );
  const loaded = await loadLayersModel(io.fromMemory(saved!));
  expect(logitsOf(name, loaded)).toEqual(logitsOf(name, model));
  model.dispose();
  loaded.dispose();
});

test.each([
  ['xlm-roberta', 'roberta', 'lm_head.dense.weight'],
  ['camembert', 'roberta', 'lm_head.bias'],
  ['distilbert', 'distilbert', 'vocab_projector.bias'],
  ['mpnet', 'mpnet', 'lm_head.decoder.bias'],
  ['albert', 'albert', 'predictions.LayerNorm.weight'],
  ['modernbert-biased', 'model', 'decoder.bias'],
  ['eurobert', 'model', 'lm_head.weight'],
  ['deberta', 'deberta', 'cls.predictions.bias'],
  ['deberta-v3', 'deberta', 'mask_predictions.LayerNorm.weight'],
  ['xlnet', 'transformer', 'lm_loss.bias'],
])(
  '%s: as people have it: bare, gamma and beta, buffers, the head of pre-training, half precision',
  async (name, prefix, extra) => {
    const bare = variant(name, (tensors) => [
      ...[...tensors].map(([key, value]): [string, StoredTensor] => [
        key
          .replace(`${prefix}.`, '')
          .replace(/(norm)\.weight$/i, '$1.gamma')
          .replace(/(norm)\.bias$/i, '$1.beta'),
        value,
      ]),
      ['embeddings.position_ids', { dtype: 'I64', shape: [1, 2], data: BigInt64Array.of(0n, 1n) }],
      ['rotary_emb.inv_freq', { dtype: 'F32', shape: [1], data: Float32Array.of(1) }],
      [extra, { dtype: 'F32', shape: [1], data: Float32Array.of(1) }],
    ]);
    const { model, initialized, unused, notes } = await loadModel(bare);
    expect([initialized, unused]).toEqual([[], [extra]]);
    expect(notes).toEqual([`${bare}: a classifier has no place for 1 tensors, left out: ${extra}`]);
    expect(logitsOf(name, model)).toEqual(logitsOf(name, (await loadModel(join(FIXTURES, name))).model));

    const half = variant(name, (tensors) =>
      [...tensors].map(([key, value]) => [key, { ...value, dtype: 'F16' }] as const),
    );
    const rounded = await loadModel(half);
    expect(rounded.notes).toEqual([`${half}: the weights are F16; they are trained and saved as float32`]);
    for (const { variable } of namedWeights(rounded.model)) expect(variable.dtype).toBe('float32');
    model.dispose();
    rounded.model.dispose();
  },
);

test.each(['deberta', 'deberta-v3', 'xlnet'])('%s: two shards give the same model', async (name) => {
  const folder = variant(name, (tensors) => tensors);
  const tensors = [...stored(name)];
  const files = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const fileOf = (place: number): string => files[place % 2]!;
  for (const file of files) {
    const own = tensors.filter((_, place) => fileOf(place) === file);
    writeFileSync(join(folder, file), serializeSafetensors(own));
  }
  const weightMap = Object.fromEntries(tensors.map(([key], place) => [key, fileOf(place)]));
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: weightMap }));
  rmSync(join(folder, 'model.safetensors'));
  const [sharded, whole] = [await loadModel(folder), await loadModel(join(FIXTURES, name))];
  expect([sharded.initialized, sharded.unused]).toEqual([[], []]);
  expect(logitsOf(name, sharded.model)).toEqual(logitsOf(name, whole.model));
  sharded.model.dispose();
  whole.model.dispose();
});

test('a checkpoint without a head: a classifier of its own is drawn; the head that pre-training had is taken', async () => {
  const headless = (name: string, dropped: RegExp): string =>
    variant(name, (tensors) => [...tensors].filter(([key]) => !dropped.test(key)));
  const load = async (folder: string): Promise<readonly string[]> =>
    (await loadModel(folder, { labels: 5 })).initialized;
  expect(await load(headless('modernbert', /^classifier/))).toEqual(['classifier.weight', 'classifier.bias']);
  expect(await load(headless('albert', /^classifier/))).toEqual(['classifier.weight', 'classifier.bias']);
  const both = ['pre_classifier.weight', 'pre_classifier.bias', 'classifier.weight', 'classifier.bias'];
  const pooled = ['pooler.dense.weight', 'pooler.dense.bias', 'classifier.weight', 'classifier.bias'];
  expect(await load(headless('deberta-v3', /^(pooler|classifier)/))).toEqual(pooled);
  const summed = ['sequence_summary.summary.weight', 'sequence_summary.summary.bias'].concat([
    'logits_proj.weight',
    'logits_proj.bias',
  ]);
  expect(await load(headless('xlnet', /^(sequence_summary|logits_proj)/))).toEqual(summed);
  expect(await load(headless('distilbert', /^(pre_)?classifier/))).toEqual(both);
  await expect(load(headless('mpnet', /relative_attention_bias/))).rejects.toThrow(
    /misses 1 weights of the encoder: mpnet\.encoder\.relative_attention_bias\.weight/,
  );
  await expect(load(headless('modernbert', /final_norm/))).rejects.toThrow(/model\.final_norm\.weight/);
});

test('embedding_size counts in an ELECTRA, not in a BERT that has the key from elsewhere', async () => {
  const { model } = await loadModel(variant('xlm-roberta', (tensors) => tensors, { embedding_size: 8 }));
  const plain = await loadModel(join(FIXTURES, 'xlm-roberta'));
  expect(logitsOf('xlm-roberta', model)).toEqual(logitsOf('xlm-roberta', plain.model));
  model.dispose();
  plain.model.dispose();
  expect(() => modelConfig({ model_type: 'electra', embedding_size: 0 })).toThrow(/embedding_size must be/);
});

test('a resized vocabulary loads, one that config.json does not know is an error', async () => {
  const table = 'roberta.embeddings.word_embeddings.weight';
  const larger = (tensors: Map<string, StoredTensor>): Map<string, StoredTensor> =>
    tensors.set(table, { dtype: 'F32', shape: [44, 12], data: new Float32Array(44 * 12) });
  const { model } = await loadModel(variant('xlm-roberta', larger, { vocab_size: 44 }));
  expect(namedWeights(model).find(({ name }) => name === table)?.variable.shape).toEqual([44, 12]);
  await expect(loadModel(variant('xlm-roberta', larger))).rejects.toThrow(
    /word_embeddings\.weight" has shape \[44, 12\], but config\.json asks for \[41, 12\]/,
  );
});

test('tensors of types that nobody knows do no harm where nobody reads them', async () => {
  const folder = variant('distilbert', (tensors) => [
    ...tensors,
    ['extra.scale', { dtype: 'U8', shape: [4], data: new Uint8Array(4) }],
  ]);
  const file = join(folder, 'model.safetensors');
  writeFileSync(file, readFileSync(file, 'latin1').replace('"dtype":"U8"', '"dtype":"F4"'), 'latin1');
  const { unused, model } = await loadModel(folder);
  expect(unused).toEqual(['extra.scale']);
  model.dispose();
  const needed = readFileSync(file, 'latin1').replace('"dtype":"F32"', '"dtype":"F33"');
  writeFileSync(file, needed, 'latin1');
  await expect(loadModel(folder)).rejects.toThrow(/dtype "F33" is not supported/);
});

test('the most tokens of each family; a longer row is refused where a table ends', async () => {
  const positions = new Map<string, number>();
  for (const name of names) positions.set(name, positionsOf(modelConfig(json(name, 'config.json'))));
  expect([positions.get('distilbert'), positions.get('albert'), positions.get('modernbert')]).toEqual([
    40, 40, 40,
  ]);
  for (const name of ['xlm-roberta', 'camembert', 'mpnet']) {
    expect(positions.get(name)).toBe(38);
    const { model } = await loadModel(join(FIXTURES, name));
    const run = (length: number): Float32Array =>
      tidy(() => {
        const rows = tensor2d([Array<number>(length).fill(6)], undefined, 'int32');
        return (model.predict([rows, rows, rows]) as Tensor).dataSync() as Float32Array;
      });
    expect(run(38).every(Number.isFinite)).toBe(true);
    expect(() => run(39)).toThrow(/39 tokens, but the model has only 38 positions/);
    model.dispose();
  }
});

test('a fresh DistilBERT with sinusoidal positions starts from sines and cosines', () => {
  const config = modelConfig({ ...json('distilbert-regression', 'config.json') });
  const model = buildModel(config);
  const table = namedWeights(model).find(({ name }) => name.endsWith('position_embeddings.weight'))!;
  const values = table.variable.read().dataSync();
  const fixture = stored('distilbert-regression').get(table.name)!.data as Float32Array;
  for (const [place, value] of fixture.entries()) expect(values[place]).toBeCloseTo(value, 6);
  model.dispose();
});

test('buckets of distances: one each up to 7, then ranges; keys after the query in the upper half', () => {
  // MPNetEncoder.relative_position_bucket of transformers 5.24.
  const distances = [0, 1, 7, 8, 11, 12, 15, 16, 22, 23, 31, 32, 45, 46, 63, 64, 90, 91, 127, 128, 1000];
  const wanted = [0, 1, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15, 15, 15];
  expect(distances.map((distance) => distanceBucket(-distance, 32))).toEqual(wanted);
  expect(distances.map((distance) => distanceBucket(distance, 32))).toEqual(
    wanted.map((bucket, place) => (place === 0 ? 0 : bucket + 16)),
  );
});

test.each([
  ['eurobert-mean', { classifier_pooling: 'clf_pooling' }],
  ['distilbert', { dim: 'hidden_size', n_heads: 'num_attention_heads', n_layers: 'num_hidden_layers' }],
  ['xlnet', { d_model: 'hidden_size', n_head: 'num_attention_heads', n_layer: 'num_hidden_layers' }],
] as const)('%s: a key counts under its other name, its own first', (name, names) => {
  const given = json(name, 'config.json');
  const renamed = Object.fromEntries(
    Object.entries(given).map(([key, value]) => [(names as Record<string, string>)[key] ?? key, value]),
  );
  expect(modelConfig(renamed)).toMatchObject(given);
  const others = Object.fromEntries(Object.values(names).map((alias) => [alias, 1]));
  expect(modelConfig({ ...given, ...others })).toMatchObject(given);
});

test('changes of a configuration count under every name of a key; one that nothing reads is refused', async () => {
  const folder = join(FIXTURES, 'distilbert');
  const { model, config } = await loadModel(folder, { config: { num_hidden_layers: 1, dropout: 0.2 } });
  expect([config.n_layers, config.dropout]).toEqual([1, 0.2]);
  model.dispose();
  await expect(loadModel(folder, { config: { hidden_dropout_prob: 0 } })).rejects.toThrow(
    /config\.json: hidden_dropout_prob cannot be changed: neither this file nor a distilbert has such a key; it reads .*dropout/,
  );
  const buckets = await loadModel(join(FIXTURES, 'deberta'), {
    config: { position_buckets: 4, num_labels: 3 },
  });
  buckets.model.dispose();
});

test.each([
  [
    'mpnet',
    { relative_attention_num_buckets: 31 },
    /relative_attention_num_buckets must be 32 or more, got 31/,
  ],
  ['mpnet', { pad_token_id: 0 }, /pad_token_id must be 1, which MPNet takes for granted, got 0/],
  ['albert', { num_hidden_groups: 4 }, /num_hidden_groups must be at most num_hidden_layers \(3\), got 4/],
  ['albert', { embedding_size: 0 }, /embedding_size must be an integer of 1 or more/],
  ['distilbert', { n_heads: 5 }, /dim must be a multiple of n_heads \(5\), got 12/],
  ['distilbert', { activation: 'mish' }, /activation must be one of gelu, /],
  ['modernbert', { classifier_pooling: 'max' }, /classifier_pooling must be "cls" or "mean", got "max"/],
  ['modernbert', { layer_types: ['full_attention'] }, /layer_types must be a list of 4 of full_attention, /],
  ['modernbert', { mlp_dropout: 1 }, /mlp_dropout must be a number in \[0, 1\)/],
  [
    'modernbert',
    { rope_parameters: { full_attention: { rope_type: 'yarn', rope_theta: 1 } } },
    /rope_parameters must be of rope_type "default"/,
  ],
  [
    'modernbert',
    { rope_parameters: { sliding_attention: { type: 'linear', factor: 4, rope_theta: 1 } } },
    /rope_parameters must be of rope_type "default"/,
  ],
  [
    'modernbert',
    { rope_parameters: { rope_type: 'yarn', factor: 4, rope_theta: 5 } },
    /rope_parameters must be nothing but full_attention and sliding_attention, each with its own/,
  ],
  [
    'eurobert',
    { rope_parameters: { type: 'linear', factor: 4, rope_theta: 250_000 } },
    /rope_parameters must be of rope_type "default"/,
  ],
  [
    'eurobert',
    { num_key_value_heads: 2 },
    /num_key_value_heads must be a divisor of num_attention_heads \(3\)/,
  ],
  ['eurobert', { classifier_pooling: 'cls' }, /classifier_pooling must be "bos", "mean" or "late"/],
  ['eurobert', { rope_scaling: { factor: 2 } }, /rope_scaling must be null/],
  ['xlm-roberta', { position_embedding_type: 'relative_key' }, /position_embedding_type must be "absolute"/],
  ['albert', { position_embedding_type: 'relative_key' }, /position_embedding_type must be "absolute"/],
  [
    'xlm-roberta',
    { model_type: 'nomic_bert', auto_map: {} },
    /whose code comes with the model \(auto_map\) and is never run/,
  ],
] as const)('%s with %j is refused', (name, change, message) => {
  expect(() => modelConfig({ ...json(name, 'config.json'), ...change })).toThrow(message);
});
