import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { listParameters, type Plugin } from '@hypetune/core';
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
