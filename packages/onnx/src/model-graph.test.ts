import '@tensorflow/tfjs-backend-cpu';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { layers, model as layersModel, input } from '@tensorflow/tfjs-layers';
import { type Tensor, setBackend, tensor2d, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { loadModel } from '@hypetune/models';
import * as ort from 'onnxruntime-web';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelBytes, modelGraph, type Precision, writeModel } from './index.js';

const FIXTURES = fileURLToPath(new URL('../../models/fixtures', import.meta.url));
const families = readdirSync(join(FIXTURES, 'families')).map((name) => join('families', name));
const fixtures = ['bert', 'electra', 'roberta', ...families];
const root = mkdtempSync(join(tmpdir(), 'onnx-'));

beforeAll(async () => {
  await setBackend('cpu');
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
});
afterAll(() => {
  rmSync(root, { recursive: true });
});

type Rows = readonly (readonly number[])[];

interface Batch {
  readonly inputIds: Rows;
  readonly attentionMask: Rows;
  readonly tokenTypeIds: Rows;
}

function batchOf(fixture: string): Batch {
  return JSON.parse(readFileSync(join(FIXTURES, fixture, 'expected.json'), 'utf8')) as Batch;
}

function ours(model: LayersModel, { inputIds, attentionMask, tokenTypeIds }: Batch): Float32Array {
  return tidy(() => {
    const inputs = [inputIds, attentionMask, tokenTypeIds].map((rows) =>
      tensor2d(rows as number[][], undefined, 'int32'),
    );
    return (model.predict(inputs) as Tensor).dataSync<'float32'>().slice();
  });
}

const session = (bytes: Uint8Array): Promise<ort.InferenceSession> =>
  ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });

async function runtimes(
  run: ort.InferenceSession,
  batch: Batch,
): Promise<{ dims: readonly number[]; data: Float32Array }> {
  const named: Readonly<Record<string, Rows>> = {
    input_ids: batch.inputIds,
    attention_mask: batch.attentionMask,
    token_type_ids: batch.tokenTypeIds,
  };
  const feeds = run.inputNames.map((name) => {
    const rows = named[name]!;
    const flat = BigInt64Array.from(rows.flat(), BigInt);
    return [name, new ort.Tensor('int64', flat, [rows.length, rows[0]!.length])] as const;
  });
  const { logits } = await run.run(Object.fromEntries(feeds));
  return { dims: logits!.dims, data: logits!.data as Float32Array };
}

/** The largest difference where `counts`, relative to the largest number. */
function difference(got: Float32Array, wanted: Float32Array, counts: (i: number) => boolean): number {
  let [most, size] = [0, 1];
  for (const [i, value] of wanted.entries()) {
    if (!counts(i)) continue;
    most = Math.max(most, Math.abs(value - got[i]!));
    size = Math.max(size, Math.abs(value));
  }
  expect(got).toHaveLength(wanted.length);
  expect(most).not.toBeNaN();
  return most / size;
}

const cut = (rows: Rows, length: number): Rows => rows.slice(0, 1).map((row) => row.slice(0, length));

/** One of each family: behind the encoder, a token's head is a linear map in all of them, but for ModernBERT's. */
const eachFamily = fixtures.filter((name) => /^(families\/)?[a-z]+(-v3|-roberta)?$/.test(name));

describe.each([
  ['a sequence', fixtures],
  ['each token', eachFamily],
] as const)('%s classified', (kind, names) => {
  const options = kind === 'a sequence' ? {} : { task: { kind: 'tokens', labels: ['a', 'b', 'c'] }, seed: 1 };

  test.each(names)('%s: as the trainer, at every length, never NaN', async (fixture) => {
    const { model } = await loadModel(join(FIXTURES, fixture), options);
    const run = await session(modelBytes(modelGraph(model)));
    const batch = batchOf(fixture);
    const mask = batch.attentionMask.flat();
    const labels = model.outputs[0]!.shape.at(-1)!;
    // What a token classifier says of padding is nothing.
    const real = (i: number): boolean => kind === 'a sequence' || mask[Math.floor(i / labels)] === 1;
    const whole = await runtimes(run, batch);
    const length = batch.inputIds[0]!.length;
    expect(whole.dims).toEqual([batch.inputIds.length, ...(kind === 'a sequence' ? [] : [length]), labels]);
    expect(difference(whole.data, ours(model, batch), real)).toBeLessThan(1e-5);

    const short = {
      inputIds: cut(batch.inputIds, 3),
      tokenTypeIds: cut(batch.tokenTypeIds, 3),
      attentionMask: [[1, 1, 1]],
    };
    expect(difference((await runtimes(run, short)).data, ours(model, short), () => true)).toBeLessThan(1e-5);
    const empty = await runtimes(run, { ...short, attentionMask: [[0, 0, 0]] });
    expect(empty.data.every(Number.isFinite)).toBe(true);
    await run.release();
    model.dispose();
  });
});

test('inputs that a family does not read are not asked for', async () => {
  const names = async (fixture: string): Promise<readonly string[]> => {
    const { model } = await loadModel(join(FIXTURES, fixture));
    const { inputs } = modelGraph(model);
    model.dispose();
    return inputs;
  };
  expect(await names('bert')).toEqual(['input_ids', 'attention_mask', 'token_type_ids']);
  expect(await names('families/xlnet')).toEqual(['input_ids', 'attention_mask', 'token_type_ids']);
  for (const fixture of [
    'families/distilbert',
    'families/mpnet',
    'families/modernbert',
    'families/deberta-v3',
  ])
    expect(await names(fixture)).toEqual(['input_ids', 'attention_mask']);
});

test('distances that never reach the outermost bucket', async () => {
  // Half of the 24 buckets is as far as rows are long: each distance has a bucket of its own.
  const folder = join(root, 'short-deberta');
  cpSync(join(FIXTURES, 'families/deberta-v3'), folder, { recursive: true });
  const file = join(folder, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...config, max_position_embeddings: 12 }));
  const { model } = await loadModel(folder);
  const batch = batchOf('families/deberta-v3');
  expect(batch.inputIds[0]!.length).toBeLessThanOrEqual(12);
  const run = await session(modelBytes(modelGraph(model)));
  const { data } = await runtimes(run, batch);
  expect(difference(data, ours(model, batch), () => true)).toBeLessThan(1e-5);
  await run.release();
  model.dispose();
  rmSync(folder, { recursive: true });
});

// One of each kind of layer; the numbers are what tiny random weights cost, a trained model loses less.
test.each<readonly [string, Precision, number]>([
  ['bert', 'q8', 0.1],
  ['families/eurobert', 'q8', 0.1],
  ['families/deberta-v3', 'q8', 0.1],
  ['families/xlnet', 'q8', 0.1],
  ['bert', 'fp16', 0.005],
  ['families/albert', 'fp16', 0.005],
  ['families/deberta-v2-convolution', 'fp16', 0.005],
  ['families/eurobert-mean', 'fp16', 0.005],
  ['families/modernbert', 'fp16', 0.005],
  ['families/xlnet-causal', 'fp16', 0.005],
])('%s in %s: near the float32 logits, and smaller', async (fixture, precision, bound) => {
  const { model } = await loadModel(join(FIXTURES, fixture));
  const graph = modelGraph(model, precision);
  const run = await session(modelBytes(graph));
  const batch = batchOf(fixture);
  const off = difference((await runtimes(run, batch)).data, ours(model, batch), () => true);
  expect(off).toBeLessThan(bound);
  expect(off).toBeGreaterThan(0);
  const padding = { ...batch, attentionMask: batch.attentionMask.map((row) => row.map(() => 0)) };
  expect((await runtimes(run, padding)).data.every(Number.isFinite)).toBe(true);
  const bytes = (form: Precision): number =>
    [...modelGraph(model, form).graph.constants.values()].reduce(
      (sum, constant) => sum + constant.bytes.length,
      0,
    );
  expect(bytes(precision)).toBeLessThan(0.85 * bytes('fp32'));
  await run.release();
  model.dispose();
});

test('one output of a regression is the value itself', async () => {
  const { model } = await loadModel(join(FIXTURES, 'families/distilbert-regression'));
  const run = await session(modelBytes(modelGraph(model)));
  const batch = batchOf('families/distilbert-regression');
  const { dims, data } = await runtimes(run, batch);
  expect(dims).toEqual([batch.inputIds.length, 1]);
  expect(new Set(data).size).toBeGreaterThan(1);
  model.dispose();
});

test('constants that are too large for one file stand in a second one, aligned', async () => {
  const { model } = await loadModel(join(FIXTURES, 'bert'));
  const path = join(root, 'model.onnx');
  const graph = modelGraph(model);
  expect(await writeModel(path, graph)).toEqual(['model.onnx']);
  const whole = statSync(path).size;
  expect(readFileSync(path)).toEqual(Buffer.from(modelBytes(graph)));
  expect(await writeModel(path, graph, { externalFrom: 1 })).toEqual(['model.onnx', 'model.onnx_data']);
  expect(statSync(path).size).toBeLessThan(0.7 * whole);
  const data = { path: 'model.onnx_data', data: readFileSync(`${path}_data`) };
  const run = await ort.InferenceSession.create(readFileSync(path), { externalData: [data] });
  const batch = batchOf('bert');
  expect(difference((await runtimes(run, batch)).data, ours(model, batch), () => true)).toBeLessThan(1e-5);
  // A smaller model written over it leaves no second file behind.
  expect(await writeModel(path, graph)).toEqual(['model.onnx']);
  expect(readdirSync(root)).toEqual(['model.onnx']);
  model.dispose();
});

test('a model that is not of @hypetune/models is refused by its layer', () => {
  const tokens = input({ shape: [4], name: 'inputIds' });
  const output = layers.dense({ units: 2, name: 'my_dense' }).apply(tokens);
  const foreign = layersModel({ inputs: tokens, outputs: output as never });
  expect(() => modelGraph(foreign)).toThrow(/no graph is known for the layer "my_dense" \(Dense\)/);
  const other = input({ shape: [4], name: 'pixels' });
  const second = layersModel({ inputs: other, outputs: layers.dense({ units: 2 }).apply(other) as never });
  expect(() => modelGraph(second)).toThrow(/an input "pixels"/);
});
