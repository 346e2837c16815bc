import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { OPTIMIZER_STAGE, tensorData, Trainer, type Plugin } from '@hypetune/core';
import { expect, test } from 'vitest';
import { deviationRatio, projectedUpdate, spd } from './index.js';

const near = (tensor: tf.Tensor, wanted: number[]): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
};

const value = tf.tensor1d([4, 5]);
const start = tf.tensor1d([1, 1]); // (3, 4) away: 5
const update = tf.tensor1d([3, 4]); // ends (6, 8) away: 10, half of it new

test('where the gradient points back, the new deviation is taken back', () => {
  near(deviationRatio(tf.tensor1d([3, 4]), tf.tensor1d([6, 8])), [0.5]);
  near(projectedUpdate(update, tf.tensor1d([1, 0]), value, start, 1), [0, 0]);
  near(projectedUpdate(update, tf.tensor1d([1, 0]), value, start, 0.5), [1.5, 2]);
});

test('where it points on, or the step comes nearer by itself, nothing is', () => {
  near(projectedUpdate(update, tf.tensor1d([-1, 0]), value, start, 1), [3, 4]);
  near(projectedUpdate(tf.tensor1d([-1, -1]), tf.tensor1d([1, 1]), value, start, 1), [-1, -1]);
});

test('at the start itself nothing happens, and nothing is divided by zero', () => {
  near(projectedUpdate(tf.tensor1d([0, 0]), tf.tensor1d([1, 1]), start, start, 1), [0, 0]);
});

test('without a start the origin stands for it', () => {
  // from (3, 4) to (6, 8): half of the way is new
  near(projectedUpdate(update, tf.tensor1d([1, 1]), tf.tensor1d([3, 4]), undefined, 1), [0, 0]);
});

/** Updates of one step in which the optimizer wants to double the distance and the gradient is 1 everywhere. */
async function changed(plugin: Plugin): Promise<Record<string, number[]>> {
  const model = sequential({
    layers: [
      layers.dense({ name: 'hidden', units: 1, inputShape: [1], useBias: false, kernelInitializer: 'ones' }),
      layers.dense({ name: 'head', units: 2, useBias: false, kernelInitializer: 'ones' }),
    ],
  });
  const kept: Record<string, tf.Tensor> = {};
  const ascend: Plugin = {
    name: 'ascend',
    apply: ({ hooks }) => {
      hooks.afterBackward.tap('ascend', (gradients) =>
        Object.fromEntries(Object.entries(gradients).map(([name, g]) => [name, tf.onesLike(g)])),
      );
      hooks.aroundUpdate.tap(
        { name: 'ascend', stage: OPTIMIZER_STAGE.REPLACE },
        () => (gradients) => Object.fromEntries(Object.entries(gradients).map(([name, g]) => [name, g])),
      );
      hooks.beforeUpdate.tap({ name: 'ascend', stage: 1000 }, (updates) => {
        for (const [name, tensor] of Object.entries(updates)) kept[name] = tf.keep(tf.clone(tensor));
        return updates;
      });
    },
  };
  const options = { steps: 2, compile: false, optimizer: { weightDecay: 0 } };
  await new Trainer({ model, plugins: [plugin, ascend], ...options }).fit(tensorData(tf.ones([1, 1]), [0]));
  model.dispose();
  return Object.fromEntries(
    Object.entries(kept).map(([name, tensor]) => [name, Array.from(tensor.dataSync())]),
  );
}

test('a pre-trained weight is held at its distance, whatever the optimizer; a new head is free unless asked for', async () => {
  // The first step moves freely from the start, the second would go one further.
  expect(await changed(spd())).toEqual({ 'hidden.kernel': [0], 'head.kernel': [1, 1] });
  const { 'head.kernel': head } = await changed(spd({ fresh: 'origin' }));
  expect(head).toEqual([0, 0]);
});

test.each([
  [{ weight: -1 }, 'spd: weight must be a finite number >= 0, got -1.'],
  [{ fresh: 'head' }, "spd: fresh must be one of 'free', 'origin', got 'head'."],
  [{ lambda: 1 }, "spd: unknown option 'lambda'; it has 'weight', 'fresh'."],
])('%o is refused by name', (options, message) => {
  expect(() => spd.create(options)).toThrow(message);
});
