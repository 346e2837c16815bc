import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { listParameters, movedAverage } from '@hypetune/core';
import { expect, test } from 'vitest';
import { buildData, buildModel } from '../../../test/support/models.js';
import { expectResumable } from '../../../test/support/resumed.js';
import { makeTrainer, train } from '../../../test/support/training.js';
import { decayAt, ema } from './index.js';

test('the average moves by its share (V1)', () => {
  const moved = movedAverage(tf.tensor1d([1, 2]), tf.tensor1d([3, -2]), tf.scalar(0.25));
  expect(Array.from(moved.dataSync())).toEqual([1.5, 1]);
});

test('warm-up: 2 / 11, 3 / 12, ... until the decay (V1)', () => {
  expect([1, 2, 8, 1000].map((step) => decayAt(step, 0.5, true))).toEqual([2 / 11, 3 / 12, 0.5, 0.5]);
  expect(decayAt(1, 0.9, false)).toBe(0.9);
});

/** The weights after every step, and what evaluation saw at the end. */
async function run(
  keepBest: boolean,
): Promise<{ history: number[][]; left: number[]; start: number[]; losses: number[] }> {
  const model = buildModel('features');
  const { data, dispose } = buildData('features');
  const plugins = [ema({ decay: 0.5, warmup: false })];
  const trainer = makeTrainer(model, plugins, { batchSize: 8, ...(keepBest && { keepBest: 'accuracy' }) });
  const { variable } = listParameters(model)[0]!;
  const value = (): number[] => Array.from(variable.dataSync());
  const start = value();
  const history: number[][] = [];
  const losses: number[] = [];
  trainer.hooks.onStep.tap('test', () => history.push(value()));
  trainer.hooks.onEpoch.tap('test', ({ metrics }) => losses.push(metrics['loss']!));
  await trainer.fit(data, { validation: data });
  losses.push((await trainer.evaluate(data)).loss);
  const left = value();
  dispose();
  model.dispose();
  return { history, left, start, losses };
}

test('what is measured and left is the average of the weights of every step, from the first ones', async () => {
  const { history, left, start, losses } = await run(false);
  const wanted = history.reduce(
    (average, weights) => average.map((a, i) => 0.5 * a + 0.5 * weights[i]!),
    start,
  );
  for (const [place, weight] of wanted.entries()) expect(left[place]).toBeCloseTo(weight, 6);
  expect(left).not.toEqual(history.at(-1));
  expect(losses.at(-1)).toBe(losses.at(-2));
});

test('what keepBest chose by is what it keeps', async () => {
  const { losses } = await run(true);
  expect(losses.slice(0, -1)).toContain(losses.at(-1));
});

test('decay 0 is plain training to the last bit; training itself never sees the average', async () => {
  const plain = await train('bert', []);
  expect(await train('bert', [ema({ decay: 0 })])).toEqual(plain);
  const averaged = await train('bert', [ema({ decay: 0.9 })]);
  expect(averaged.losses).toEqual(plain.losses);
  expect(averaged.logits).not.toEqual(plain.logits);
});

test('resumes, repeats itself, leaves no tensor', () =>
  expectResumable('features', () => [ema({ decay: 0.9 })]));

test('a bad decay is refused by name', () => {
  expect(() => ema({ decay: 1 })).toThrow('ema: decay must be a finite number >= 0 and < 1, got 1.');
});
