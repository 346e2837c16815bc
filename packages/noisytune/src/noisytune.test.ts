import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { noisytune, noisyWeight } from './index.js';

const near = (tensor: tf.Tensor, wanted: number[]): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
};

test('noise in units of the unbiased deviation of the tensor (V7)', () => {
  const uniform = tf.tensor1d([0.1, 0.9, 0.5, 0.5]);
  near(noisyWeight(tf.tensor1d([1, 2, 3, 4]), uniform, 0.15), [0.92254033, 2.07745967, 3, 4]);
});

test('one entry, a scalar and equal entries stay as they are (V7)', () => {
  near(noisyWeight(tf.tensor1d([3]), tf.tensor1d([0.9]), 0.15), [3]);
  near(noisyWeight(tf.tensor2d([[3]]), tf.tensor2d([[0.9]]), 0.15), [3]);
  near(noisyWeight(tf.scalar(3), tf.scalar(0.9), 0.15), [3]);
  near(noisyWeight(tf.tensor1d([2, 2]), tf.tensor1d([0.9, 0.1]), 0.15), [2, 2]);
});

test('options: default and errors', () => {
  expect(noisytune().options).toEqual({ intensity: 0.15 });
  expect(() => noisytune.create({ intensity: -1 })).toThrow(
    'noisytune: intensity must be a finite number >= 0, got -1.',
  );
  expect(() => noisytune.create({ lambda: 1 })).toThrow("noisytune: unknown option 'lambda'");
});
