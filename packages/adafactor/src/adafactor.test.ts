import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import type { Plugin, Snapshot, TrainerOptions } from '@hypetune/core';
import { lpFt } from '@hypetune/lp-ft';
import { expect, test } from 'vitest';
import { buildData, buildModel } from '../../../test/support/models.js';
import { expectResumable } from '../../../test/support/resumed.js';
import { makeTrainer, train } from '../../../test/support/training.js';
import {
  adafactor,
  clippedToSize,
  factoredDirection,
  relativeStep,
  rootMeanSquare,
  running,
  secondDecay,
} from './index.js';

const values = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());

test('rows times columns over their mean (V1)', () => {
  // r = [1, 4], mean 2.5; c = [2.5, 10]: v = [[1, 4], [4, 16]].
  const gradient = tf.tensor2d([1, 2, -2, 8], [2, 2]);
  const direction = values(factoredDirection(gradient, tf.tensor1d([1, 4]), tf.tensor1d([2.5, 10])));
  for (const [place, value] of [1, 1, -1, 2].entries()) expect(direction[place]).toBeCloseTo(value, 6);
});

test('size, clipping, running means and schedules (V1)', () => {
  expect(rootMeanSquare(tf.tensor1d([3, 4, 0, 0])).dataSync()[0]).toBeCloseTo(2.5, 6);
  expect(values(clippedToSize(tf.tensor1d([3, 4, 0, 0]), 1.25))).toEqual([1.5, 2, 0, 0]);
  expect(values(clippedToSize(tf.tensor1d([3, 4, 0, 0]), 5))).toEqual([3, 4, 0, 0]);
  expect(values(running(tf.tensor1d([4]), tf.tensor1d([8]), 0.75))).toEqual([5]);
  expect([secondDecay(1, 0.8), secondDecay(4, 0.5)]).toEqual([0, 0.5]);
  expect([relativeStep(1, false), relativeStep(40_000, false), relativeStep(7, true)]).toEqual([
    0.01, 0.005, 7e-6,
  ]);
});

/** What a run leaves to be resumed from. */
async function snapshotOf(plugins: readonly Plugin[], options: Partial<TrainerOptions>): Promise<Snapshot> {
  const model = buildModel('features');
  const { data, dispose } = buildData('features');
  const trainer = makeTrainer(model, plugins, options);
  let snapshot: Snapshot | undefined;
  trainer.hooks.onFitEnd.tapPromise('test', async () => {
    snapshot = await trainer.snapshot();
  });
  await trainer.fit(data);
  dispose();
  model.dispose();
  return snapshot!;
}

/** Names and shapes of the state after two steps. */
async function state(plugins: readonly Plugin[]): Promise<Record<string, number[]>> {
  const { tensors } = await snapshotOf(plugins, { steps: 2 });
  return Object.fromEntries(
    Object.entries(tensors).flatMap(([name, { shape }]) =>
      name.startsWith('plugin/adafactor/') ? [[name.slice(17), shape]] : [],
    ),
  );
}

test('keeps rows and columns of a matrix, a whole vector, momentum only if asked for', async () => {
  const kept = await state([adafactor()]);
  const kernel = Object.keys(kept)
    .find((name) => name.startsWith('rows/'))!
    .slice(5);
  expect([kept['rows/' + kernel], kept['columns/' + kernel]]).toEqual([[4], [8]]);
  expect(Object.keys(kept).map((name) => name.split('/')[0])).toEqual(
    [1, 2, 3].flatMap(() => ['rows', 'columns', 'second']),
  );
  expect(
    Object.keys(await state([adafactor({ beta1: 0.9 })])).filter((name) => name.startsWith('first/')),
  ).toHaveLength(6);
});

test('a weight that joins in late counts its own steps', async () => {
  const model = buildModel('features');
  const { data, dispose } = buildData('features');
  const trainer = makeTrainer(model, [adafactor(), lpFt({ share: 0.5 })], { batchSize: 8 });
  const ages: number[][] = [];
  trainer.hooks.onUpdate.tap('test', (step) => {
    ages.push([...new Set(step.parameters.map((parameter) => step.age(parameter)))].sort());
  });
  await trainer.fit(data);
  expect(ages).toEqual([[1], [2], [1, 3], [2, 4]]);
  dispose();
  model.dispose();
});

test('a longer run begins means of what the run that it resumes never trained', async () => {
  const late: Plugin = {
    name: 'late',
    apply: ({ hooks, addPhases }) => {
      addPhases(() => [4]);
      hooks.shouldTrain.tap('late', ({ site }, { step }) =>
        site !== 'head' && step < 4 ? false : undefined,
      );
    },
  };
  const plugins = (): Plugin[] => [adafactor(), late];
  const options = { schedule: { decay: 'constant', warmup: 0 }, batchSize: 8 } as const;
  const whole = await train('features', plugins(), { ...options, steps: 6 });
  const resume = await snapshotOf(plugins(), { ...options, steps: 2 });
  const longer = await train('features', plugins(), { ...options, steps: 6 }, { resume });
  expect(longer.losses).toEqual(whole.losses.slice(2));
  expect(longer.weights).toEqual(whole.weights);
});

test('resumes, repeats itself, leaves no tensor', () =>
  expectResumable('features', () => [adafactor({ scaleParameter: true, beta1: 0.9 })]));

test.each([
  [{ clipThreshold: 0 }, 'adafactor: clipThreshold must be a finite number > 0, got 0.'],
  [{ warmup: true }, 'adafactor: warmup is of the relative step; set relativeStep too.'],
])('%o is refused by name', (options, message) => {
  expect(() => adafactor(options)).toThrow(message);
});
