import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { foldIn, seedKey } from '@hypetune/ops';
import { choose, layerDrop, skipOrKeep } from './index.js';

const before = tf.tensor2d([[1, 2]]);
const after = tf.tensor2d([[0.1, 0.3]]);

test('choose: exactly one of the two', () => {
  expect(Array.from(choose(tf.tensor2d([[1]]), after, before).dataSync())).toEqual(
    Array.from(after.dataSync()),
  );
  expect(Array.from(choose(tf.tensor2d([[0]]), after, before).dataSync())).toEqual([1, 2]);
});

test('choose: the gradient reaches the layer only if it was kept', () => {
  const gradient = (keep: number): number[] =>
    Array.from(
      tf
        .grad((x) => tf.sum(choose(tf.tensor2d([[keep]]), tf.mul(x, 3), x)))(before)
        .dataSync(),
    );
  expect(gradient(1)).toEqual([3, 3]);
  expect(gradient(0)).toEqual([1, 1]);
});

test('skipOrKeep: skips one layer in five, the whole batch at once, unscaled', () => {
  const skipped = Array.from({ length: 500 }, (_, i) => {
    const [first, second] = skipOrKeep(before, after, 0.2, foldIn(seedKey(1), i)).dataSync();
    expect([first, second]).toEqual(first === 1 ? [1, 2] : Array.from(after.dataSync()));
    return first === 1 ? 1 : 0;
  });
  const rate = skipped.reduce<number>((sum, x) => sum + x, 0) / skipped.length;
  expect(rate).toBeGreaterThan(0.15);
  expect(rate).toBeLessThan(0.25);
});

test('options: defaults and errors', () => {
  expect(layerDrop().options).toEqual({ rate: 0.2 });
  expect(() => layerDrop({ rate: 1 })).toThrow(
    'layer-drop: rate must be a finite number >= 0 and < 1, got 1.',
  );
  expect(() => layerDrop.create({ p: 0.1 })).toThrow("layer-drop: unknown option 'p'; it has 'rate'.");
});
