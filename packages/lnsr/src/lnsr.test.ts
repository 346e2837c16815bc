import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { seedKey } from '@hypetune/ops';
import { expect, test } from 'vitest';
import { addNoise, drift, lnsr } from './index.js';

const near = (tensor: tf.Tensor, wanted: number[]): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
};

test('drift: squared distance over the width', () => {
  near(
    drift(
      tf.tensor2d([
        [1, 2],
        [0, 0],
      ]),
      tf.tensor2d([
        [1, 4],
        [3, 4],
      ]),
    ),
    [4, 25],
  );
});

test('drift: averaged over the positions of a row', () => {
  near(drift(tf.tensor3d([1, 0, 0, 3], [1, 2, 2]), tf.zeros([1, 2, 2])), [5]);
});

test('drift: over the tokens of a row alone, where a mask says which', () => {
  const noisy = tf.tensor3d([1, 0, 0, 3, 7, 7, 2, 0, 0, 0, 0, 0], [2, 3, 2]);
  near(drift(noisy, tf.zeros([2, 3, 2]), tf.tensor2d([1, 1, 0, 1, 0, 0], [2, 3])), [5, 4]);
});

test('drift of a doubling layer is four times the noise', () => {
  const hidden = tf.tensor2d([[1, 2]]);
  const noisy = addNoise(hidden, 0.1, seedKey(5));
  const noise = drift(noisy, hidden).dataSync()[0]!;
  expect(drift(tf.mul(noisy, 2), tf.mul(hidden, 2)).dataSync()[0]! / noise).toBeCloseTo(4, 4);
});

test('drift: gradients flow through both sides', () => {
  const [noisy, clean] = tf.grads((x: tf.Tensor, y: tf.Tensor) => tf.sum(drift(x, y)))([
    tf.tensor2d([[1, 2]]),
    tf.tensor2d([[0, 4]]),
  ]);
  near(noisy!, [2, -4]);
  near(clean!, [-2, 4]);
});

test('addNoise: of the given deviation', () => {
  const noise = addNoise(tf.zeros([10_000]), 0.5, seedKey(1));
  expect(Math.sqrt(tf.mean(tf.square(noise)).dataSync()[0]!)).toBeCloseTo(0.5, 1);
});

test('options: defaults and errors', () => {
  expect(lnsr().options).toEqual({ weight: 1, scale: 0.01, layer: 0 });
  expect(() => lnsr({ layer: -1 })).toThrow('lnsr: layer must be an integer >= 0, got -1.');
  expect(() => lnsr.create({ lambda: 1 })).toThrow("lnsr: unknown option 'lambda'");
});
