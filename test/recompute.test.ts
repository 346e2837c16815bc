import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { tensorData, Trainer, type Dataset, type Plugin, type TrainerOptions } from '@hypetune/core';
import { dropKey } from '@hypetune/drop-key';
import type { NativeBackend } from '@hypetune/engine';
import { hype } from '@hypetune/hype';
import { lora } from '@hypetune/lora';
import { mixout } from '@hypetune/mixout';
import { bertConfig, bertModel, loadModel } from '@hypetune/models';
import { r3f } from '@hypetune/r3f';
import { sam } from '@hypetune/sam';
import { smart } from '@hypetune/smart';
import { describe, expect, test } from 'vitest';
import { CERTIFIED_FAMILIES } from './certificate/families.js';
import { expectedOf, inputsOf } from './parity/families.js';
import { enginesPresent } from './support/engines.js';

const [rows, length] = [6, 8];
const drawn = (seed: number): ReturnType<typeof initializers.glorotUniform> =>
  initializers.glorotUniform({ seed });
const seeded = <K extends string>(
  kind: K,
  seed: number,
): Record<`${K}Initializer`, ReturnType<typeof drawn>> => ({ [`${kind}Initializer`]: drawn(seed) }) as never;

const bert = (count = 3, width = 16): LayersModel =>
  bertModel(
    bertConfig({
      vocab_size: 50,
      hidden_size: width,
      num_hidden_layers: count,
      num_attention_heads: 2,
      intermediate_size: 2 * width,
      max_position_embeddings: length,
      initializer_range: 0.1,
    }),
    { seed: 1 },
  );

function tokens(): Dataset {
  const ids = Array.from({ length: rows * length }, (_, i) => (i * 7919) % 47);
  const mask = ids.map((_, i) => (i % length < 5 + (i >> 4) ? 1 : 0));
  const inputs = [ids, mask, ids.map(() => 0)].map((values) => tf.tensor2d(values, [rows, length], 'int32'));
  return tensorData(
    inputs,
    Array.from({ length: rows }, (_, row) => row % 2),
  );
}

/** Losses and weights of two updates, and the bytes that were held where the backward pass begins. */
async function train(
  model: LayersModel,
  data: Dataset,
  plugins: readonly Plugin[],
  options: Partial<TrainerOptions>,
): Promise<{ losses: number[]; weights: number[][]; held: number }> {
  const all = { model, plugins, batchSize: 3, steps: 2, seed: 3, lengthMultiple: 1 };
  const trainer = new Trainer({ ...all, compile: false, optimizer: { learningRate: 1e-2 }, ...options });
  const losses: number[] = [];
  let held = 0;
  trainer.hooks.onStep.tap('losses', ({ loss }) => losses.push(loss));
  trainer.hooks.beforeBackward.tap('bytes', (loss) => {
    held = tf.memory().numBytes;
    return loss;
  });
  const before = tf.memory().numTensors;
  await trainer.fit(data);
  // A recurrent layer of tfjs keeps its last masks.
  if (model.getWeights().length > 12) expect(tf.memory().numTensors).toBe(before);
  const weights = model.getWeights().map((weight) => Array.from(weight.dataSync()));
  model.dispose();
  return { losses, weights, held };
}

describe('recompute', () => {
  const stacks: Readonly<Record<string, () => Plugin[]>> = {
    plain: () => [],
    'hype + r3f': () => [hype({ scale: 0.01 }), r3f()],
    'mixout + drop-key': () => [mixout({ p: 0.3 }), dropKey({ rate: 0.3 })],
    'smart + sam': () => [smart(), sam()],
    lora: () => [lora({ rank: 2 })],
  };
  test.each(Object.keys(stacks))('%s: the same bits as with everything kept', async (name) => {
    await tf.setBackend('cpu');
    const data = tokens();
    const kept = await train(bert(), data, stacks[name]!(), {});
    const again = await train(bert(), data, stacks[name]!(), { recompute: true });
    expect(again.losses).toEqual(kept.losses);
    expect(again.weights).toEqual(kept.weights);
  });

  test.each(CERTIFIED_FAMILIES)('$name: the same bits, every dropout on', async ({ folder, dropouts }) => {
    await tf.setBackend('cpu');
    const expected = expectedOf(folder);
    const data = tensorData(inputsOf(expected), expected.labels);
    const { model } = await loadModel(folder, { config: { ...dropouts } });
    const { model: same } = await loadModel(folder, { config: { ...dropouts } });
    const kept = await train(model, data, [], {});
    const again = await train(same, data, [], { recompute: true });
    expect(again.losses).toEqual(kept.losses);
    expect(again.weights).toEqual(kept.weights);
  });

  test('what a plugin of its own reads inside a layer is trained', async () => {
    await tf.setBackend('cpu');
    const data = tokens();
    const shift = (norms: number[]): Plugin => ({
      name: 'shift',
      apply({ name, hooks, addParameter }) {
        const own = addParameter('shift', [16], () => tf.zeros([16]));
        hooks.afterAttention.tap(name, (context, _, pass) => tf.add(context, own.read(pass)));
        hooks.onStep.tap(name, ({ gradientNorm }) => norms.push(gradientNorm));
      },
    });
    const [kept, again]: [number[], number[]] = [[], []];
    const frozen = (): LayersModel => {
      const model = bert();
      for (const layer of model.layers.slice(0, -1)) layer.trainable = false;
      return model;
    };
    await train(frozen(), data, [shift(kept)], { clipNorm: 0 });
    await train(frozen(), data, [shift(again)], { clipNorm: 0, recompute: true });
    expect(again).toEqual(kept);
  });

  test("a user's own layers, with draws inside of them and between", async () => {
    await tf.setBackend('cpu');
    const own = (): LayersModel =>
      sequential({
        layers: [
          layers.embedding({ inputDim: 50, outputDim: 6, inputLength: length, ...seeded('embeddings', 1) }),
          layers.lstm({
            units: 5,
            dropout: 0.3,
            returnSequences: true,
            ...seeded('kernel', 2),
            recurrentInitializer: drawn(3),
          }),
          layers.dropout({ rate: 0.2 }),
          layers.dense({ units: 4, activation: 'tanh', ...seeded('kernel', 4) }),
          layers.globalAveragePooling1d({}),
          layers.dense({ units: 2, ...seeded('kernel', 5) }),
        ],
      });
    const ids = tf.tensor2d(
      Array.from({ length: rows * length }, (_, i) => (i * 31) % 47),
      [rows, length],
    );
    const data = tensorData(ids, [0, 1, 0, 1, 0, 1]);
    const kept = await train(own(), data, [hype({ scale: 0.01 })], {});
    const again = await train(own(), data, [hype({ scale: 0.01 })], { recompute: true });
    expect(again.losses).toEqual(kept.losses);
    expect(again.weights).toEqual(kept.weights);
    expect(again.held).toBeLessThan(kept.held);
  });

  test('activations of all layers but the last are not held', async () => {
    await tf.setBackend('cpu');
    const data = tokens();
    const held = async (count: number, recompute: boolean): Promise<number> =>
      (await train(bert(count), data, [], { recompute })).held;
    const ofALayer = async (recompute: boolean): Promise<number> =>
      ((await held(7, recompute)) - (await held(3, recompute))) / 4;
    const [kept, again] = [await ofALayer(false), await ofALayer(true)];
    expect(again).toBeLessThan(kept / 2);
  });
});

const [native] = await enginesPresent(['native']);
describe.skipIf(native?.backend === undefined)('recompute on the native engine', { timeout: 300_000 }, () => {
  test.each([
    ['operation by operation', { compile: false }],
    ['compiled', { compile: true }],
    ['in bfloat16', { compile: true, precision: 'bfloat16' }],
  ] as const)('%s: the same but for rounding', async (_, options) => {
    await tf.setBackend(native!.backend!);
    const data = tokens();
    // In pieces, as one that computes again always is: the products of a small whole are not rounded.
    const { runtime } = (tf.backend() as unknown as NativeBackend).binding;
    runtime.compilesBfloat16 = false;
    const kept = await train(bert(2, 96), data, [hype({ scale: 0.01 })], options);
    const again = await train(bert(2, 96), data, [hype({ scale: 0.01 })], { ...options, recompute: true });
    again.losses.forEach((loss, step) => {
      expect(Math.abs(loss - kept.losses[step]!)).toBeLessThan('precision' in options ? 2e-3 : 1e-5);
    });
  });
});
