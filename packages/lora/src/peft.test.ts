import '@tensorflow/tfjs-backend-cpu';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  listParameters,
  tensorData,
  tokenClassification,
  Trainer,
  type Dataset,
  type Plugin,
  type Snapshot,
  type TrainerOptions,
} from '@hypetune/core';
import { ema } from '@hypetune/ema';
import { loadModel } from '@hypetune/models';
import { noisytune } from '@hypetune/noisytune';
import { reinit } from '@hypetune/reinit';
import { wiseFt } from '@hypetune/wise-ft';
import { afterAll, expect, test } from 'vitest';
import { adapterFiles, lora, mergeAdapterFiles } from './index.js';
import { mergeAdapter, saveAdapter } from './peft.js';

const base = new URL('../../models/fixtures/bert', import.meta.url).pathname;
const fixtures = new URL('../fixtures', import.meta.url).pathname;
const scratch = mkdtempSync(join(tmpdir(), 'adapter-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

/** The rows of `fixtures/adapters.py`. */
const rows = [
  [2, 17, 45, 9, 3, 0, 2, 88, 5, 61, 30, 3],
  [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1],
  [0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1],
].map((input) => tf.tensor2d(input, [2, 6], 'int32'));
const data: Dataset = tensorData(rows, [0, 2]);
const logits = (model: LayersModel): number[][] => (model.predict(rows) as tf.Tensor2D).arraySync();

function expectClose(got: number[][], wanted: number[][]): void {
  for (const [row, numbers] of wanted.entries())
    for (const [place, value] of numbers.entries())
      expect(Math.abs(got[row]![place]! - value)).toBeLessThan(1e-5);
}

test.each(['lora', 'dora'])("an adapter of PEFT's, %s, merged gives PEFT's logits", async (name) => {
  const { model } = await loadModel(base);
  const before = logits(model);
  const expected = JSON.parse(readFileSync(join(fixtures, 'logits.json'), 'utf8')) as Record<
    string,
    number[][]
  >;
  const { adapted, replaced } = await mergeAdapter(model, join(fixtures, name));
  expect(adapted).toHaveLength(name === 'lora' ? 4 : 13);
  expect(replaced).toContain('classifier.weight');
  expectClose(logits(model), expected[name]!);
  expect(Math.abs(before[0]![0]! - expected[name]![0]![0]!)).toBeGreaterThan(0.01);
  model.dispose();
});

/** Trains two epochs with lora, saving its adapter at the end of each. */
async function trained(options: Partial<TrainerOptions>, folder: string): Promise<number[][]> {
  const { model } = await loadModel(base);
  const trainer = new Trainer({
    ...{
      model,
      epochs: 3,
      batchSize: 1,
      optimizer: { learningRate: 0.01 },
      schedule: { warmup: 0, decay: 'constant' },
    },
    ...options,
  });
  trainer.hooks.onEpoch.tapPromise('test', () => saveAdapter(trainer, folder));
  await trainer.fit(data, { validation: data });
  const result = logits(model);
  model.dispose();
  return result;
}

test.each([
  ['lora', {}],
  ['dora', { dora: true, targetModules: 'all-linear', rankStabilized: true, bias: 'all' }],
  ['biases of targets', { bias: 'lora_only' }],
] as const)(
  '%s: an adapter of ours, merged into the base, is the model that fit left',
  async (name, options) => {
    const folder = join(scratch, name);
    const wanted = await trained({ plugins: [lora({ rank: 2, alpha: 4, ...options })] }, folder);
    const { model } = await loadModel(base);
    await mergeAdapter(model, folder);
    expectClose(logits(model), wanted);
    model.dispose();
  },
);

test('what is saved is averaged where the weights are, and the best where the best is kept', async () => {
  const folder = join(scratch, 'average');
  const plugins = [lora({ rank: 2 }), ema({ decay: 0.9, warmup: false })];
  const wanted = await trained({ plugins, keepBest: 'accuracy' }, folder);
  const { model } = await loadModel(base);
  await mergeAdapter(model, folder);
  expectClose(logits(model), wanted);
  model.dispose();
});

test("the file has PEFT's names and shapes", async () => {
  const folder = join(scratch, 'names');
  await trained({ plugins: [lora({ rank: 2, dora: true, bias: 'lora_only' })], steps: 1 }, folder);
  const header = (file: string): Record<string, unknown> => {
    const bytes = readFileSync(file);
    const text = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString();
    const entries = Object.entries(JSON.parse(text) as Record<string, { shape?: number[] }>);
    return Object.fromEntries(entries.flatMap(([name, { shape }]) => (shape ? [[name, shape]] : [])));
  };
  const theirs = header(join(fixtures, 'lora/adapter_model.safetensors'));
  const ours = header(join(folder, 'adapter_model.safetensors'));
  const magnitudes = Object.keys(ours).filter((name) => name.endsWith('.query.lora_magnitude_vector'));
  expect(magnitudes).toHaveLength(2);
  // The fixture has rank 4 in one module and no magnitudes.
  expect(
    Object.keys(ours)
      .filter((name) => !name.endsWith('magnitude_vector'))
      .sort(),
  ).toEqual(Object.keys(theirs).sort());
  const query = 'base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight';
  expect(ours[query]).toEqual(theirs[query]);
  const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  const keys = Object.keys(
    JSON.parse(readFileSync(join(fixtures, 'lora/adapter_config.json'), 'utf8')) as object,
  );
  expect(Object.keys(config).filter((key) => !keys.includes(key))).toEqual([]);
  expect(config['modules_to_save']).toEqual(['classifier']);
});

test('the task says which head PEFT expects', async () => {
  const task = tokenClassification({ labels: ['a', 'b'] });
  const { model } = await loadModel(base, { task });
  const trainer = new Trainer({ model, task, steps: 1, batchSize: 1, plugins: [lora({ rank: 2 })] });
  let config = '';
  trainer.hooks.onEpoch.tapPromise('test', async () => {
    config = (await adapterFiles(trainer))['adapter_config.json'];
  });
  await trainer.fit(
    tensorData(rows, [
      [0, 1, 0, 1, 0, 1],
      [1, 0, 1, 0, 1, 0],
    ]),
  );
  expect(JSON.parse(config)).toMatchObject({ task_type: 'TOKEN_CLS', modules_to_save: ['classifier'] });
  model.dispose();
});

test('an adapter that does not fit is refused by name, and the model is as before', async () => {
  const { model } = await loadModel(base, { labels: 2 });
  const before = listParameters(model).map(({ variable }) => Array.from(variable.dataSync()));
  await expect(mergeAdapter(model, join(fixtures, 'lora'))).rejects.toThrow(
    "adapter: 'base_model.model.classifier.bias' makes [3] of a weight of the model that is [2]",
  );
  expect(listParameters(model).map(({ variable }) => Array.from(variable.dataSync()))).toEqual(before);
  const weights = new Uint8Array(readFileSync(join(fixtures, 'lora/adapter_model.safetensors')));
  const merge = (config: object) => (): unknown =>
    mergeAdapterFiles(model, {
      'adapter_config.json': JSON.stringify(config),
      'adapter_model.safetensors': weights,
    });
  expect(merge({ peft_type: 'IA3', lora_alpha: 1 })).toThrow('adapter: adapter_config.json, peft_type');
  expect(merge({ peft_type: 'LORA', lora_alpha: 1, use_qalora: true })).toThrow('sets use_qalora');
  for (const start of ['pissa', 'pissa_niter_4', 'corda', 'olora', 'OLoRA', 'loftq'])
    expect(merge({ peft_type: 'LORA', lora_alpha: 1, init_lora_weights: start })).toThrow(
      `has init_lora_weights '${start}'`,
    );
  expect(listParameters(model).map(({ variable }) => Array.from(variable.dataSync()))).toEqual(before);
  expect(merge({ peft_type: 'LORA', lora_alpha: 1, init_lora_weights: 'gaussian' })).toThrow(
    'classifier.bias',
  );
  model.dispose();
});

test.each([wiseFt(), noisytune(), reinit()])(
  'an adapter that is not the measured model is refused: $name changes the base',
  async (plugin) => {
    await expect(
      trained({ plugins: [plugin, lora({ rank: 2 })] }, join(scratch, plugin.name)),
    ).rejects.toThrow(
      `lora: base weights are changed by ${plugin.name}, which no adapter file holds; save the merged model.`,
    );
  },
);

test('a tap that only looks at the loaded weights does not stand in the way; that others changed them is known after a resume', async () => {
  const look: Plugin = {
    name: 'look',
    apply: ({ hooks }) => {
      hooks.afterLoad.tap('look', (weights) => new Map(weights));
    },
  };
  const folder = join(scratch, 'looked');
  const wanted = await trained({ plugins: [look, lora({ rank: 2 })], steps: 1 }, folder);
  const { model } = await loadModel(base);
  await mergeAdapter(model, folder);
  expectClose(logits(model), wanted);

  const start = (): Trainer =>
    new Trainer({ model, plugins: [look, noisytune(), lora({ rank: 2 })], epochs: 2 });
  const first = start();
  let resume: Snapshot | undefined;
  first.hooks.onEpoch.tapPromise('test', async () => {
    resume ??= await first.snapshot();
  });
  await first.fit(data);
  expect([first.changedOnLoad, resume!.meta.changedOnLoad]).toEqual([['noisytune'], ['noisytune']]);
  const second = start();
  second.hooks.onFitEnd.tapPromise('test', () => saveAdapter(second, folder));
  await expect(second.fit(data, { resume: resume! })).rejects.toThrow(
    'lora: base weights are changed by noisytune,',
  );
  const older: { changedOnLoad?: readonly string[] } & Snapshot['meta'] = { ...resume!.meta };
  delete older.changedOnLoad;
  const third = start();
  third.hooks.onFitEnd.tapPromise('test', () => saveAdapter(third, folder));
  await expect(third.fit(data, { resume: { ...resume!, meta: older } })).rejects.toThrow(
    'changed by noisytune, look,',
  );
  model.dispose();
});

test('where they are off they do not stand in the way', async () => {
  const folder = join(scratch, 'off');
  const plugins = [lora({ rank: 2 }), wiseFt({ alpha: 1 }), noisytune({ intensity: 0 })];
  const wanted = await trained({ plugins, steps: 1 }, folder);
  const { model } = await loadModel(base);
  await mergeAdapter(model, folder);
  expectClose(logits(model), wanted);
  model.dispose();
});

test('a trainer without lora has no adapter', async () => {
  await expect(trained({ plugins: [] }, join(scratch, 'none'))).rejects.toThrow(
    'lora: the trainer has no adapter to save',
  );
});
