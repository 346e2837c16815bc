import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { listParameters, type Plugin, tensorData, Trainer } from '@hypetune/core';
import { ema } from '@hypetune/ema';
import { lora } from '@hypetune/lora';
import { expect, test } from 'vitest';
import { buildData, buildModel } from '../../../test/support/models.js';
import { expectResumable } from '../../../test/support/resumed.js';
import { makeTrainer, train } from '../../../test/support/training.js';
import { interpolated, wiseFt } from './index.js';

test('(1 - alpha) w0 + alpha w (V1)', () => {
  const between = interpolated(tf.tensor1d([0, 4]), tf.tensor1d([1, 0]), 0.25);
  expect(Array.from(between.dataSync())).toEqual([0.25, 3]);
});

/** Every parameter before training, and as fit leaves it. */
async function run(
  plugins: readonly Plugin[],
): Promise<{ name: string; pretrained: boolean; before: number[]; after: number[] }[]> {
  const model = buildModel('bert');
  const { data, dispose } = buildData('bert');
  const parameters = listParameters(model);
  const before = parameters.map(({ variable }) => Array.from(variable.dataSync()));
  await makeTrainer(model, plugins).fit(data);
  const result = parameters.map(({ name, pretrained, variable }, place) => ({
    name,
    pretrained,
    before: before[place]!,
    after: Array.from(variable.dataSync()),
  }));
  dispose();
  model.dispose();
  return result;
}

test.each([
  ['alone', []],
  ['after an average', [ema({ decay: 0.9 })]],
  ['with merged adapters', [lora({ rank: 2 })]],
])('%s: what fit leaves is the interpolation, the head as it was trained', async (_, others) => {
  const full = await run(others);
  const part = await run([...others, wiseFt({ alpha: 0.3 })]);
  expect(part.some(({ before, after, pretrained }) => pretrained && after.join() !== before.join())).toBe(
    true,
  );
  for (const [place, { pretrained, before, after }] of full.entries())
    for (const [entry, value] of part[place]!.after.entries())
      expect(value).toBeCloseTo(pretrained ? 0.7 * before[entry]! + 0.3 * after[entry]! : after[entry]!, 6);
});

test('the statistics of batch normalization are interpolated as weights are', async () => {
  const tuned = async (plugins: readonly Plugin[]): Promise<Record<string, number[]>> => {
    const kernelInitializer = initializers.ones();
    const model = sequential({
      layers: [
        layers.dense({ units: 2, inputShape: [1], kernelInitializer }),
        layers.batchNormalization({ name: 'norm', momentum: 0.5 }),
        layers.dense({ units: 2, kernelInitializer }),
      ],
    });
    const data = tensorData(tf.tensor2d([[1], [2], [3], [5]]), [0, 1, 0, 1]);
    const options = { batchSize: 4, epochs: 3, compile: false, optimizer: { learningRate: 0.01 } } as const;
    await new Trainer({ model, plugins, ...options }).fit(data);
    return Object.fromEntries(
      listParameters(model).map(({ name, variable }) => [name, Array.from(variable.dataSync())]),
    );
  };
  const full = await tuned([]);
  const none = await tuned([wiseFt({ alpha: 0 })]);
  const half = await tuned([wiseFt({ alpha: 0.5 })]);
  expect(full['norm.moving_mean']![0]).toBeGreaterThan(1);
  expect([none['norm.moving_mean'], none['norm.moving_variance']]).toEqual([
    [0, 0],
    [1, 1],
  ]);
  for (const entry of [0, 1])
    expect(half['norm.moving_mean']![entry]).toBeCloseTo(full['norm.moving_mean']![entry]! / 2, 5);
});

test('alpha 1 is plain training to the last bit; training never sees the interpolation', async () => {
  const plain = await train('bert', []);
  expect(await train('bert', [wiseFt({ alpha: 1 })])).toEqual(plain);
  const moved = await train('bert', [wiseFt()]);
  expect(moved.losses).toEqual(plain.losses);
  expect(moved.logits).not.toEqual(plain.logits);
});

test('resumes, repeats itself, leaves no tensor', () => expectResumable('features', () => [wiseFt()]));

test('a bad alpha is refused by name', () => {
  expect(() => wiseFt({ alpha: 2 })).toThrow('wise-ft: alpha must be a finite number >= 0 and <= 1, got 2.');
});
