import '@tensorflow/tfjs-backend-cpu';
import { type Tensor, io, losses, memory, setBackend, tensor2d, tidy, train } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { foldIn, seedKey, withDraws } from '@hypetune/ops';
import { beforeAll, expect, test, vi } from 'vitest';
import {
  type ModelConfig,
  BertEmbeddings,
  bertConfig,
  bertModel,
  buildModel,
  configOf,
  modelConfig,
  namedWeights,
  positionsOf,
  withLabels,
} from './index.js';

const SMALL: ModelConfig = bertConfig({
  vocab_size: 50,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 8,
});

beforeAll(() => setBackend('cpu'));

function ids(rows: number[][]): Tensor {
  return tensor2d(rows, undefined, 'int32');
}

/** Two rows of five tokens; the second ends in padding. */
function batch(): Tensor[] {
  return [
    ids([
      [2, 7, 8, 9, 3],
      [2, 5, 3, 0, 0],
    ]),
    ids([
      [1, 1, 1, 1, 1],
      [1, 1, 1, 0, 0],
    ]),
    ids([
      [0, 0, 0, 1, 1],
      [0, 0, 0, 0, 0],
    ]),
  ];
}

function logitsOf(model: LayersModel, training = false): Float32Array {
  return tidy(() => (model.apply(batch(), { training }) as Tensor).dataSync() as Float32Array);
}

/** What `save` writes, its topology and metadata through JSON. */
async function artifactsOf(model: LayersModel): Promise<io.ModelArtifacts> {
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
  return saved!;
}

test('layers and weights have the names of a Hugging Face checkpoint', () => {
  const model = bertModel(SMALL);
  expect(
    model.layers.map(({ name }) => name).filter((name) => name.includes('.') || name === 'classifier'),
  ).toEqual(['bert.embeddings', 'bert.encoder.layer.0', 'bert.encoder.layer.1', 'bert.pooler', 'classifier']);
  const names = namedWeights(model).map(({ name, variable }) => [
    name,
    variable.originalName.replace('/', '.'),
  ]);
  expect(names).toHaveLength(5 + 2 * 16 + 2 + 2);
  for (const [name, original] of names) expect(name).toBe(original);
  expect(names.map(([name]) => name)).toContain('bert.encoder.layer.1.attention.self.query.weight');
  const lines: string[] = [];
  model.summary(undefined, undefined, (line: string) => lines.push(line));
  expect(lines.join('\n')).toMatch(/bert\.encoder\.layer\.0 \(Tran[\s\S]*Total params: \d+/);
  model.dispose();
});

test('starting values depend on the seed and the name alone', () => {
  const read = (model: LayersModel): Map<string, number[]> =>
    new Map(namedWeights(model).map(({ name, variable }) => [name, [...variable.read().dataSync()]]));
  const models = [
    bertModel(SMALL),
    bertModel(SMALL),
    bertModel(SMALL, { seed: 1 }),
    bertModel(withLabels(SMALL, 5)),
  ];
  const [first, same, other, wider] = models.map(read);
  expect(same).toEqual(first);
  const query = 'bert.encoder.layer.0.attention.self.query.weight';
  expect(other!.get(query)).not.toEqual(first!.get(query));
  expect(wider!.get(query)).toEqual(first!.get(query));
  const deviation = Math.sqrt(first!.get(query)!.reduce((sum, v) => sum + v * v, 0) / 256);
  expect(deviation).toBeGreaterThan(0.015);
  expect(deviation).toBeLessThan(0.025);
  expect(first!.get('classifier.bias')).toEqual([0, 0]);
  expect(first!.get('bert.embeddings.LayerNorm.weight')).toEqual(Array(16).fill(1));
  for (const model of models) model.dispose();
});

test('save and load keep weights, outputs and configuration to the bit', async () => {
  const model = bertModel(withLabels(SMALL, ['ham', 'spam']), { seed: 3 });
  const loaded = await loadLayersModel(io.fromMemory(await artifactsOf(model)));
  expect(logitsOf(loaded)).toEqual(logitsOf(model));
  expect(loaded.layers.map(({ name }) => name)).toEqual(model.layers.map(({ name }) => name));
  expect(configOf(loaded)).toEqual(configOf(model));
  expect(namedWeights(loaded).map(({ name }) => name)).toEqual(namedWeights(model).map(({ name }) => name));
  model.dispose();
  loaded.dispose();
});

test('plain compile and fit train it, predict reads it', async () => {
  const model = bertModel(SMALL);
  model.compile({ optimizer: train.adam(0.01), loss: losses.softmaxCrossEntropy });
  const labels = tensor2d([
    [1, 0],
    [0, 1],
  ]);
  const { history } = await model.fit(batch(), labels, { epochs: 15 });
  const [first, last] = [history.loss!.at(0) as number, history.loss!.at(-1) as number];
  expect(last).toBeLessThan(first / 2);
  const predicted = tidy(() => (model.predict(batch()) as Tensor).dataSync());
  expect(predicted[0]! > predicted[1]! && predicted[3]! > predicted[2]!).toBe(true);
  model.dispose();
});

test('dropout: off in evaluation, by the call number in plain training, by the key in a draw scope', () => {
  const model = bertModel({ ...SMALL, initializer_range: 0.5 });
  expect(logitsOf(model)).toEqual(logitsOf(model));
  expect(logitsOf(model, true)).not.toEqual(logitsOf(model, true));
  const kinds: [string, number][] = [];
  const scoped = (seed: number, training: boolean, factor: number): Float32Array =>
    withDraws(
      {
        key: foldIn(seedKey(seed), 'main'),
        training,
        rate: (kind, declared) => {
          kinds.push([kind, declared]);
          return factor * declared;
        },
      },
      () => logitsOf(model, true),
    );
  expect(scoped(1, true, 1)).toEqual(scoped(1, true, 1));
  expect(scoped(1, true, 1)).not.toEqual(scoped(2, true, 1));
  expect(scoped(1, false, 1)).toEqual(logitsOf(model));
  expect(scoped(1, true, 0)).toEqual(logitsOf(model));
  // embeddings, three a block, head
  expect(
    kinds
      .slice(0, 8)
      .map(([kind]) => kind[0])
      .join(''),
  ).toBe('hahhahhh');
  expect(new Set(kinds.map(([, declared]) => declared))).toEqual(new Set([0.1]));
  model.dispose();
});

test('weights are read through their variables and tokens through tokenEmbedding, in each call', () => {
  const model = bertModel(SMALL);
  const plain = logitsOf(model);
  const reads = namedWeights(model).map(({ variable }) => vi.spyOn(variable, 'read'));
  const embeddings = model.layers.find((layer) => layer instanceof BertEmbeddings)!;
  const lookup = vi.spyOn(embeddings, 'tokenEmbedding');
  expect(logitsOf(model)).toEqual(plain);
  for (const read of reads) expect(read).toHaveBeenCalledTimes(1);
  expect(lookup).toHaveBeenCalledTimes(1);
  expect(
    model.layers.flatMap((layer) => (layer as { hypetune?: { site: string } }).hypetune?.site ?? []),
  ).toEqual(['embedding', 'hidden', 'hidden', 'pooler', 'head']);
  vi.restoreAllMocks();
  model.dispose();
});

test.each([
  ['bert', 8, ['bert.pooler', 'classifier']],
  ['electra', 8, ['electra.encoder.layer.1', 'classifier']],
  ['roberta', 6, ['roberta.encoder.layer.1', 'classifier']],
])(
  '%s: positions and head are its own; a longer sequence is refused; it survives save and load',
  async (family, positions, last) => {
    const config = modelConfig({
      ...SMALL,
      model_type: family,
      embedding_size: family === 'electra' ? 8 : 16,
      pad_token_id: 1,
    });
    expect(positionsOf(config)).toBe(positions);
    const model = buildModel(config);
    expect(model.layers.slice(-2).map(({ name }) => name)).toEqual(last);
    const run = (length: number, from: LayersModel): Float32Array =>
      tidy(() => {
        const rows = ids([Array<number>(length).fill(1)]);
        return (from.apply([rows, rows, rows]) as Tensor).dataSync() as Float32Array;
      });
    expect(() => run(positions + 1, model)).toThrow(
      new RegExp(
        `${family}\\.embeddings: the input has ${positions + 1} tokens.* only ${positions} positions`,
      ),
    );
    const loaded = await loadLayersModel(io.fromMemory(await artifactsOf(model)));
    expect(run(positions, loaded)).toEqual(run(positions, model));
    model.dispose();
    loaded.dispose();
  },
);

test('no tensor leaks', () => {
  const model = bertModel(SMALL);
  logitsOf(model);
  const before = memory().numTensors;
  for (let i = 0; i < 3; i++) logitsOf(model, true);
  expect(memory().numTensors).toBe(before);
  model.dispose();
  expect(memory().numTensors).toBe(before - 41);
});

test.each([
  ['hidden_size', 15, /hidden_size must be a multiple of num_attention_heads/],
  ['vocab_size', 0, /vocab_size must be an integer of 1 or more, got 0/],
  ['hidden_act', 'mish', /hidden_act must be one of gelu, .*, got "mish"/],
  ['hidden_dropout_prob', 1, /hidden_dropout_prob must be a number in \[0, 1\), got 1/],
  [
    'model_type',
    'gpt2',
    /model_type must be one of .*got "gpt2", a decoder.*; use an encoder of albert, bert/,
  ],
  ['model_type', 't5', /got "t5", an encoder-decoder/],
  ['model_type', 'unheard', /model_type must be one of .*got "unheard"$/],
  ['is_decoder', true, /is_decoder must be false, got true/],
  [
    'quantization_config',
    { quant_method: 'gptq' },
    /the weights are quantised \(gptq\) and cannot be trained/,
  ],
  ['position_embedding_type', 'relative_key', /position_embedding_type must be "absolute"/],
])('a configuration with a bad %s is refused', (key, value, message) => {
  expect(() => bertConfig({ ...SMALL, [key]: value }, 'config.json')).toThrow(message);
});

test('code that comes with a model is never run: refused in one line, not needed where the architecture is known', () => {
  const remote = { auto_map: { AutoModel: 'modeling_own.OwnModel' } };
  expect(() => bertConfig({ ...SMALL, ...remote, model_type: 'own' }, 'config.json')).toThrow(
    /got "own", whose code comes with the model \(auto_map\) and is never run; use an encoder of albert, bert[^\n]*$/,
  );
  expect(bertConfig({ ...SMALL, ...remote }, 'config.json').hidden_size).toBe(SMALL.hidden_size);
});
