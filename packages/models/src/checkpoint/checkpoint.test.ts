import '@tensorflow/tfjs-backend-cpu';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { memory, setBackend, tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type StoredTensor, parseSafetensors, serializeSafetensors } from '@hypetune/safetensors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bertConfig, bertModel, loadModel, namedWeights, saveModel } from '../index.js';

const FIXTURE = fileURLToPath(new URL('../../fixtures/bert', import.meta.url));
const PYTHON = process.env.HYPETUNE_PYTHON ?? 'python3';
const root = mkdtempSync(join(tmpdir(), 'checkpoint-'));

beforeAll(() => setBackend('cpu'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

type Tensors = Map<string, StoredTensor>;

/** A copy of the fixture whose tensors and configuration are changed. */
function variant(
  change: (tensors: Tensors) => Tensors | undefined,
  config: Record<string, unknown> = {},
): string {
  const folder = mkdtempSync(join(root, 'variant-'));
  cpSync(join(FIXTURE, 'config.json'), join(folder, 'config.json'));
  const json = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...json, ...config }));
  const tensors = change(fixtureTensors());
  if (tensors) writeFileSync(join(folder, 'model.safetensors'), serializeSafetensors(tensors));
  return folder;
}

function fixtureTensors(): Tensors {
  return parseSafetensors(readFileSync(join(FIXTURE, 'model.safetensors')), 'fixture');
}

function valuesOf(model: LayersModel): Map<string, number[]> {
  return new Map(namedWeights(model).map(({ name, variable }) => [name, [...variable.read().dataSync()]]));
}

function rename(tensors: Tensors, change: (name: string) => string | undefined): Tensors {
  return new Map(
    [...tensors].flatMap(([name, value]) => (change(name) === undefined ? [] : [[change(name)!, value]])),
  );
}

test('shards, missing prefixes and the first LayerNorm names give the same model', async () => {
  const wanted = valuesOf((await loadModel(FIXTURE)).model);
  const names = [...fixtureTensors().keys()];
  const sharded = variant(() => undefined);
  const map: Record<string, string> = {};
  for (const [part, file] of [
    'model-00001-of-00002.safetensors',
    'model-00002-of-00002.safetensors',
  ].entries()) {
    const own = names.filter((_, i) => i % 2 === part);
    const all = fixtureTensors();
    writeFileSync(join(sharded, file), serializeSafetensors(own.map((name) => [name, all.get(name)!])));
    for (const name of own) map[name] = file;
  }
  const index = join(sharded, 'model.safetensors.index.json');
  writeFileSync(index, JSON.stringify({ metadata: {}, weight_map: map }));
  const bare = variant((tensors) => rename(tensors, (name) => name.replace(/^bert\./, '')));
  const old = variant((tensors) =>
    rename(tensors, (name) =>
      name.replace('LayerNorm.weight', 'LayerNorm.gamma').replace('LayerNorm.bias', 'LayerNorm.beta'),
    ),
  );
  for (const folder of [sharded, bare, old]) {
    const { model, initialized, unused } = await loadModel(folder);
    expect([initialized, unused]).toEqual([[], []]);
    expect(valuesOf(model)).toEqual(wanted);
  }
  rmSync(join(sharded, 'model-00002-of-00002.safetensors'));
  await expect(loadModel(sharded)).rejects.toThrow(
    /the shard model-00002-of-00002\.safetensors .* is missing/,
  );
  writeFileSync(index, JSON.stringify({ weight_map: { 'bert.pooler.dense.bias': '../model.safetensors' } }));
  await expect(loadModel(sharded)).rejects.toThrow(/must be in a safetensors file of the same folder/);
  writeFileSync(index, JSON.stringify({ weight_map: { other: 'model-00001-of-00002.safetensors' } }));
  await expect(loadModel(sharded)).rejects.toThrow(/"other" should be in model-00001-of-00002\.safetensors/);
});

test('outputs of one name are refused with the file named, unless others are asked for', async () => {
  const folder = variant((tensors) => tensors, { id2label: { 0: 'a', 1: 'a', 2: 'b' } });
  for (const labels of [undefined, 3])
    await expect(loadModel(folder, labels === undefined ? {} : { labels })).rejects.toThrow(
      /config\.json: the names of id2label must differ, got a, a, b; name the outputs by config: \{ id2label/,
    );
  const renewed = await loadModel(folder, { labels: ['x', 'y'] });
  expect([renewed.head.head, renewed.config.id2label]).toEqual(['new', { 0: 'x', 1: 'y' }]);
  const named = await loadModel(folder, { config: { id2label: { 0: 'a', 1: 'c', 2: 'b' } } });
  expect(named.head.head).toBe('kept');
});

test('what the checkpoint lacks is drawn by the seed and reported, what it has beyond is reported', async () => {
  const folder = variant((tensors) => {
    const kept = rename(tensors, (name) => (/pooler|classifier/.test(name) ? undefined : name));
    return kept.set('cls.predictions.bias', { dtype: 'F32', shape: [1], data: Float32Array.of(1) });
  });
  const load = (seed: number): ReturnType<typeof loadModel> =>
    loadModel(folder, { labels: ['ham', 'spam'], seed });
  const [first, same, other] = [await load(1), await load(1), await load(2)];
  expect(first.initialized).toEqual(
    ['pooler.dense.weight', 'pooler.dense.bias']
      .map((n) => `bert.${n}`)
      .concat('classifier.weight', 'classifier.bias'),
  );
  expect(first.unused).toEqual(['cls.predictions.bias']);
  const marks = namedWeights(first.model).filter(({ mark }) => mark.fresh.length > 0);
  expect(marks.map(({ name }) => name)).toEqual(first.initialized);
  expect(marks[0]!.mark.fresh).toEqual(['dense.weight', 'dense.bias']);
  expect(first.config.id2label).toEqual({ 0: 'ham', 1: 'spam' });
  const head = (model: LayersModel): number[] => valuesOf(model).get('classifier.weight')!;
  expect(head(first.model)).toEqual(head(same.model));
  expect(head(first.model)).not.toEqual(head(other.model));
  expect(head(first.model).every((value) => value !== 0)).toBe(true);
  expect(valuesOf(first.model).get('classifier.bias')).toEqual([0, 0]);
});

test('a folder of BertForPreTraining gives its encoder and its pooler; both its heads are left out, and that is said', async () => {
  const heads = ['cls.predictions.transform.dense.weight', 'cls.seq_relationship.weight'];
  const one: StoredTensor = { dtype: 'F32', shape: [1], data: Float32Array.of(1) };
  const folder = variant(
    (tensors) =>
      new Map([
        ...[...tensors].filter(([name]) => !name.startsWith('classifier.')),
        ...heads.map((name) => [name, one] as const),
      ]),
    { architectures: ['BertForPreTraining'] },
  );
  const { model, initialized, unused, notes } = await loadModel(folder, { labels: 2 });
  expect(initialized).toEqual(['classifier.weight', 'classifier.bias']);
  expect(unused).toEqual(heads);
  expect(notes).toContain(
    `${folder}: a classifier has no place for 2 tensors, left out: ${heads.join(', ')}`,
  );
  const [got, wanted] = [valuesOf(model), valuesOf((await loadModel(FIXTURE)).model)];
  expect(got.get('bert.pooler.dense.weight')).toEqual(wanted.get('bert.pooler.dense.weight'));
});

test('a head is kept, reordered or new by the names of its outputs, and the note says which', async () => {
  const names = (...labels: string[]): Record<string, unknown> => ({
    id2label: Object.assign({}, labels) as object,
  });
  const folder = variant((tensors) => tensors, { ...names('good', 'bad', 'even'), num_labels: 5 });
  const stored = fixtureTensors();
  const rows = (model: LayersModel): number[] => valuesOf(model).get('classifier.bias')!;
  const bias = Array.from(stored.get('classifier.bias')!.data as Float32Array);

  const same = await loadModel(folder, { labels: ['good', 'bad', 'even'] });
  expect([same.head, same.initialized, rows(same.model)]).toEqual([{ head: 'kept' }, [], bias]);
  expect(same.config).not.toHaveProperty('num_labels');

  const other = await loadModel(folder, { labels: ['bad', 'even', 'good'] });
  const note = "the head's outputs are put into another order: good, bad, even become bad, even, good";
  expect([other.head, other.initialized]).toEqual([{ head: 'reordered', note }, []]);
  expect(rows(other.model)).toEqual([bias[1], bias[2], bias[0]]);
  const [kernel] = ['classifier.weight'].map((name) => valuesOf(other.model).get(name)!);
  const wanted = stored.get('classifier.weight')!.data as Float32Array;
  // Kernels are [in, out]: the first feature's three outputs.
  expect(kernel!.slice(0, 3)).toEqual([wanted[32], wanted[64], wanted[0]]);

  const fresh = await loadModel(folder, { labels: ['good', 'bad', 'fine'] });
  expect(fresh.head.note).toBe(
    "the head is new: the checkpoint's outputs are good, bad, even, the model's good, bad, fine",
  );
  expect(fresh.initialized).toEqual(['classifier.weight', 'classifier.bias']);
  expect(fresh.unused).toEqual(['classifier.bias', 'classifier.weight']);

  const five = await loadModel(folder, { labels: 5 });
  expect(five.head.note).toBe(
    "the head is new: the checkpoint's outputs are good, bad, even, the model's 5 in number",
  );
  const three = await loadModel(folder, { labels: 3 });
  expect([three.head, three.config.id2label]).toEqual([{ head: 'kept' }, { 0: 'good', 1: 'bad', 2: 'even' }]);

  const broken = variant((tensors) => tensors, names('a', 'b'));
  await expect(loadModel(broken)).rejects.toThrow(
    /"classifier.weight" has shape \[3, 32\], but config.json asks for \[2, 32\]/,
  );
});

test('what is trained stands in the configuration, not what the checkpoint was for', async () => {
  const folder = variant((tensors) => tensors, {
    problem_type: 'multi_label_classification',
    torch_dtype: 'float16',
  });
  expect((await loadModel(folder)).config.problem_type).toBe('multi_label_classification');
  const task = { kind: 'class', labels: ['no', 'yes'], problemType: 'single_label_classification' };
  const { model, config } = await loadModel(folder, { task });
  expect(config).toMatchObject({ problem_type: 'single_label_classification', label2id: { no: 0, yes: 1 } });
  const saved = join(root, 'trained');
  await saveModel(model, saved);
  const written = JSON.parse(readFileSync(join(saved, 'config.json'), 'utf8')) as object;
  expect(written).toMatchObject({
    architectures: ['BertForSequenceClassification'],
    problem_type: 'single_label_classification',
    ...{ dtype: 'float32', torch_dtype: 'float32' },
  });
  expect((await loadModel(folder, { labels: 2 })).config).not.toHaveProperty('problem_type');
  const value = await loadModel(folder, { task: { kind: 'values', problemType: 'regression' } });
  expect(value.config).toMatchObject({ problem_type: 'regression', id2label: { 0: 'LABEL_0' } });
});

test('half-precision weights load as float32', async () => {
  const folder = variant(
    (tensors) => new Map([...tensors].map(([name, value]) => [name, { ...value, dtype: 'BF16' as const }])),
  );
  const [got, wanted] = [
    valuesOf((await loadModel(folder)).model),
    valuesOf((await loadModel(FIXTURE)).model),
  ];
  for (const [name, values] of wanted) {
    values.forEach((value, i) => {
      expect(Math.abs(got.get(name)![i]! - value)).toBeLessThanOrEqual(Math.abs(value) / 256);
    });
  }
});

test('a tensor that nothing reads may be of a type that nobody knows', async () => {
  const folder = variant((tensors) => tensors);
  const file = join(folder, 'model.safetensors');
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, { dtype: string }>;
  const data = bytes.subarray(8 + length);
  const writeWith = (entries: Record<string, object>): void => {
    const text = Buffer.from(JSON.stringify({ ...header, ...entries }));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(text.length));
    writeFileSync(file, Buffer.concat([size, text, data, Buffer.alloc(4)]));
  };
  const unknown = { dtype: 'F4', shape: [4], data_offsets: [data.length, data.length + 4] };
  writeWith({ 'quantizer.scale': unknown });
  const { model, unused } = await loadModel(folder);
  expect(unused).toEqual(['quantizer.scale']);
  model.dispose();
  const bias = 'bert.pooler.dense.bias';
  writeWith({ 'quantizer.scale': unknown, [bias]: { ...header[bias], dtype: 'F4' } });
  await expect(loadModel(folder)).rejects.toThrow(/bert\.pooler\.dense\.bias.*F4/);
});

test.each([
  [
    'a missing encoder weight',
    variantOf(/layer\.1\.output\.dense\.bias/),
    /misses 1 weights of the encoder: bert\.encoder\.layer\.1\.output\.dense\.bias/,
  ],
  ['a whole missing layer', variantOf(/layer\.1\./), /misses 16 weights of the encoder: .* and 11 more/],
  [
    'another shape',
    () => variant((tensors) => tensors, { vocab_size: 100 }),
    /"bert\.embeddings\.word_embeddings\.weight" has shape \[101, 32\], but config\.json asks for \[100, 32\]/,
  ],
  [
    'integers as weights',
    () =>
      variant((tensors) =>
        tensors.set('bert.pooler.dense.bias', { dtype: 'I32', shape: [32], data: new Int32Array(32) }),
      ),
    /"bert\.pooler\.dense\.bias" holds I32/,
  ],
  ['no weights', () => variant(() => undefined), /there is no model\.safetensors .*; a model folder needs/],
  [
    'another architecture',
    () => variant((tensors) => tensors, { model_type: 'gpt2' }),
    /config\.json: model_type must be one of albert, bert/,
  ],
  [
    'a number of layers that would be built for ever',
    () => variant((tensors) => tensors, { num_hidden_layers: 2 ** 31 }),
    /config\.json: num_hidden_layers is 2147483648, but the checkpoint has \d+ tensors/,
  ],
  [
    'a size that no tensor has',
    () => variant((tensors) => tensors, { intermediate_size: 2 ** 40 }),
    /intermediate_size is 1099511627776, .* the longest side of them 101; this is not the config\.json/,
  ],
  [
    'more positions than memory',
    () => variant((tensors) => tensors, { max_position_embeddings: 2 ** 40 }),
    /max_position_embeddings is 1099511627776/,
  ],
  ['no folder', () => join(root, 'nowhere'), /nowhere: there is no/],
])('%s is an error that leaves no tensor behind', async (_, make, message) => {
  const folder = make();
  const before = memory().numTensors;
  await expect(loadModel(folder)).rejects.toThrow(message);
  expect(memory().numTensors).toBe(before);
});

function variantOf(dropped: RegExp): () => string {
  return () => variant((tensors) => rename(tensors, (name) => (dropped.test(name) ? undefined : name)));
}

test.each([
  ['pytorch_model.bin', "'pytorch_model.bin'$"],
  ['pytorch_model-00001-of-00002.bin', "'pytorch_model-\\*.bin'$"],
  ['model.pt', "'model.pt'$"],
  ['tf_model.h5', "load\\(model, [^]*'tf_model.h5'$"],
  ['bert_model.ckpt.index', "load_tf_weights\\([^]*'bert_model.ckpt.index'$"],
])('%s is never read; the error converts it', async (name, end) => {
  const folder = variant(() => undefined);
  for (const file of ['optimizer.pt', name]) writeFileSync(join(folder, file), 'x');
  await expect(loadModel(folder)).rejects.toThrow(
    new RegExp(`${name} is not read, .* run code[^]*python3 -c '[^]*${end}`),
  );
});

test('a saved folder holds the same weights under the same names, its configuration and its tokenizer', async () => {
  const source = variant((tensors) => tensors);
  writeFileSync(join(source, 'vocab.txt'), '[PAD]\n');
  const { model } = await loadModel(source, { labels: ['LABEL_0', 'LABEL_1', 'LABEL_2'] });
  const folder = join(root, 'saved', 'model');
  await saveModel(model, folder);
  expect(readdirSync(folder).sort()).toEqual(['config.json', 'model.safetensors', 'vocab.txt']);
  expect(parseSafetensors(readFileSync(join(folder, 'model.safetensors')))).toEqual(fixtureTensors());
  const loaded = await loadModel(folder);
  expect(loaded.config).toMatchObject({
    architectures: ['BertForSequenceClassification'],
    label2id: { LABEL_0: 0, LABEL_1: 1, LABEL_2: 2 },
  });
  expect(valuesOf(loaded.model)).toEqual(valuesOf(model));
  // a trained model written over an old folder
  const { variable } = namedWeights(loaded.model)[0]!;
  variable.write(tensor(new Float32Array(101 * 32), [101, 32]));
  await saveModel(loaded.model, folder);
  expect(valuesOf((await loadModel(folder)).model)).toEqual(valuesOf(loaded.model));
});

test('code of a repository that the configuration names is not named where it is not', async () => {
  const source = variant((tensors) => tensors);
  const file = join(source, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...config, auto_map: { AutoModel: 'modeling_own.Model' } }));
  const remote = { AutoTokenizer: ['tokenization_own.Own', null] };
  writeFileSync(
    join(source, 'tokenizer_config.json'),
    JSON.stringify({ auto_map: remote, do_lower_case: true }),
  );
  const { model } = await loadModel(source);
  const folder = join(root, 'saved', 'remote');
  await saveModel(model, folder);
  const saved = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
  expect(saved).not.toHaveProperty('auto_map');
  expect(saved).toMatchObject({ model_type: 'bert' });
  expect(JSON.parse(readFileSync(join(folder, 'tokenizer_config.json'), 'utf8'))).toEqual({
    do_lower_case: true,
  });
});

test('a model that was never loaded is saved without a tokenizer', async () => {
  const config = bertConfig({
    vocab_size: 9,
    hidden_size: 4,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 8,
  });
  const model = bertModel(config);
  const folder = join(root, 'fresh');
  await saveModel(model, folder);
  expect(existsSync(join(folder, 'vocab.txt'))).toBe(false);
  expect(valuesOf((await loadModel(folder)).model)).toEqual(valuesOf(model));
});

const noPython = ((): string | undefined => {
  try {
    execFileSync(PYTHON, ['-c', 'import torch, transformers'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return `${PYTHON} has no torch and transformers; name another by HYPETUNE_PYTHON`;
  }
})();
if (noPython) console.warn(`skipped: a saved folder loads in transformers (${noPython})`);

test.skipIf(noPython)(
  "the command that an error prints converts PyTorch's weights, a trained head among them",
  { timeout: 180_000 },
  async () => {
    const folder = variant(() => undefined);
    const halve = `
import sys, torch
from safetensors.torch import load_file
tensors = list(load_file(sys.argv[1] + "/model.safetensors").items())
for i, part in enumerate((tensors[::2], tensors[1::2])):
    torch.save(dict(part), f"{sys.argv[2]}/pytorch_model-0000{i + 1}-of-00002.bin")
`;
    execFileSync(PYTHON, ['-c', halve, FIXTURE, folder]);
    const { message } = await loadModel(folder).then(
      () => expect.unreachable(),
      (error: unknown) => error as Error,
    );
    execFileSync('sh', ['-c', message.slice(message.indexOf('python3')).replace('python3', PYTHON)]);
    expect(parseSafetensors(readFileSync(join(folder, 'model.safetensors')))).toEqual(fixtureTensors());
    expect((await loadModel(folder)).head.head).toBe('kept');
  },
);

test.skipIf(noPython)(
  'saved folders load in transformers with the same logits',
  { timeout: 180_000 },
  async () => {
    const pairs: string[] = [];
    const fixtures = join(FIXTURE, '..');
    const others = readdirSync(join(fixtures, 'families')).map((name) => join('families', name));
    for (const family of ['bert', 'electra', 'roberta', ...others]) {
      const fixture = join(fixtures, family);
      const folder = join(root, 'for-python', family);
      await saveModel((await loadModel(fixture)).model, folder);
      pairs.push(folder, join(fixture, 'expected.json'));
    }
    const script = `
import inspect, json, sys, torch
from transformers import AutoModelForSequenceClassification
for folder, expected in zip(sys.argv[1::2], sys.argv[2::2]):
    e = json.load(open(expected))
    m, info = AutoModelForSequenceClassification.from_pretrained(folder, output_loading_info=True)
    assert not any(info[k] for k in ("missing_keys", "unexpected_keys", "mismatched_keys")), info
    t = torch.tensor
    inputs = {"input_ids": t(e["inputIds"]), "attention_mask": t(e["attentionMask"])}
    if "token_type_ids" in inspect.signature(m.forward).parameters:
        inputs["token_type_ids"] = t(e["tokenTypeIds"])
    m.eval()
    # row by row: transformers cannot add the masks of several rows to a causal one
    out = torch.cat([m(**{k: v[i : i + 1] for k, v in inputs.items()}).logits for i in range(len(e["labels"]))])
    assert (out - t(e["logits"])).abs().max() < 1e-5 * t(e["logits"]).abs().max().clamp(min=1), folder
`;
    execFileSync(PYTHON, ['-c', script, ...pairs], { stdio: ['ignore', 'ignore', 'pipe'] });
  },
);
