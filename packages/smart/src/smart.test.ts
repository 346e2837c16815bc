import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { symmetricDivergence } from '@hypetune/core';
import { expect, test } from 'vitest';
import { ascend, ascendToUnit, oneSidedDivergence, smart, stableDivergence, worst } from './index.js';

const near = (tensor: tf.Tensor, wanted: number[], digits = 6): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, digits);
  });
};
const a = tf.tensor2d([1, 2, 0.5, -0.5], [2, 2]);
const b = tf.tensor2d([1.1, 1.8, 0.4, -0.3], [2, 2]);

test('ascend: a row moves by the rate in its steepest entry and stays in the box', () => {
  const delta = tf.tensor3d([0.1, 0, 0, 0], [2, 1, 2]);
  const gradient = tf.tensor3d([2, -4, 0, 0.5], [2, 1, 2]);
  near(ascend(delta, gradient, 0.2, 0.15), [0.15, -0.15, 0, 0.15]);
  near(ascend(delta, gradient, 0.2, 1), [0.2, -0.2, 0, 0.2]);
});

test('ascend: a zero gradient moves nothing', () => {
  near(ascend(tf.fill([1, 2], 0.01), tf.zeros([1, 2]), 0.1, 1), [0.01, 0.01]);
});

test('ascendToUnit: the largest entry of every token becomes 1, however small the step', () => {
  const delta = tf.tensor3d([0.1, 0, 0, 0.3], [1, 2, 2]);
  const gradient = tf.tensor3d([1, -2, 3, 0], [1, 2, 2]);
  near(ascendToUnit(delta, gradient, 0.1), [1, -1, 1, 1], 4);
});

test('stableDivergence: by hand for P = (.5, .5), Q = (.75, .25)', () => {
  // r(P) = log(P / (1 - P)): 0, 0 and log 3, -log 3; 2 * (.5 * -log 3 + .5 * log 3) = 0
  const even = tf.tensor2d([[0, 0]]);
  const odd = tf.tensor2d([[Math.log(3), 0]]);
  near(stableDivergence(even, odd), [0], 4);
  // the other way round: 2 * (.75 log 3 - .25 log 3) = log 3
  near(stableDivergence(odd, even), [Math.log(3)], 4);
});

test('oneSidedDivergence: the value of the symmetric divergence with half of its gradients', () => {
  near(oneSidedDivergence(a, b), Array.from(symmetricDivergence(a, b).dataSync()));
  // d/dq KL(P||Q) = Q - P: .7310586 and .2689414 against the softmax of b
  const gradient = tf.grad((x) => tf.sum(oneSidedDivergence(a, x as tf.Tensor2D)))(b);
  near(gradient, Array.from(tf.sub(tf.softmax(b), tf.softmax(a)).dataSync()));
});

test('worst: climbs to the edge of the box', () => {
  const found = worst((delta) => tf.sum(tf.mul(delta, tf.tensor2d([[1, -3]]))), tf.zeros([1, 2]), {
    steps: 4,
    rate: 0.3,
    radius: 0.5,
    form: 'paper',
  });
  near(found, [0.4, -0.5]);
});

test('options: defaults and errors', () => {
  expect(smart().options).toEqual({
    ...{ weight: 1, steps: 1, rate: 1e-3, start: 1e-5, radius: 1e-5, form: 'paper' },
  });
  expect(() => smart({ steps: 0 })).toThrow('smart: steps must be an integer >= 1, got 0.');
  expect(() => smart.create({ form: 'code' })).toThrow(
    "smart: form must be one of 'paper', 'reference', got 'code'.",
  );
  expect(() => smart.create({ lambda: 1 })).toThrow("smart: unknown option 'lambda'");
});
