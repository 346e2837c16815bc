import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { seedKey } from '@hypetune/ops';
import { expect, test } from 'vitest';
import { consistency, embeddingNoise, powerIteration, r3f, r4f, spectrallyNormalized } from './index.js';

const clean = tf.tensor2d([1, 2, 0.5, -0.5], [2, 2]);
const noised = tf.tensor2d([1.1, 1.8, 0.4, -0.3], [2, 2]);
const labels = tf.tensor2d([0, 1, 1, 0], [2, 2]);
const near = (tensor: tf.Tensor, wanted: number[], digits = 6): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, digits);
  });
};
const loss = (a: tf.Tensor2D, b: tf.Tensor2D): tf.Scalar => {
  const crossEntropy = tf.neg(tf.sum(tf.mul(labels, tf.logSoftmax(a)), -1));
  return tf.mean(tf.add(crossEntropy, consistency('classification', a, b, 0.7)));
};

test('the loss per row and its gradients through both passes (V2)', () => {
  near(loss(clean, noised), [0.3264645569]);
  near(tf.mean(consistency('classification', clean, noised, 1)), [0.0188612419]);
  const [toClean, toNoised] = tf.grads((a, b) => loss(a as tf.Tensor2D, b as tf.Tensor2D))([clean, noised]);
  near(toClean!, [0.0918217, -0.0918217, -0.0918217, 0.0918217]);
  near(toNoised!, [0.0452846, -0.0452846, -0.0452846, 0.0452846]);
});

test('doubling the batch leaves the value of a row unchanged', () => {
  const twice = (x: tf.Tensor2D): tf.Tensor2D => tf.concat([x, x]);
  near(tf.mean(consistency('classification', twice(clean), twice(noised), 1)), [0.0188612419]);
});

test('regression compares values by their mean squared difference', () => {
  near(consistency('regression', clean, noised, 2), [0.05, 0.05]);
});

test('uniform noise is two-sided and bounded, normal noise has the deviation', () => {
  const uniform = embeddingNoise('uniform', [10_000], 0.1, seedKey(1));
  expect(tf.max(tf.abs(uniform)).dataSync()[0]).toBeLessThanOrEqual(0.1);
  expect(Math.abs(tf.mean(uniform).dataSync()[0]!)).toBeLessThan(0.003);
  const { variance } = tf.moments(embeddingNoise('normal', [10_000], 0.1, seedKey(1)));
  expect(Math.sqrt(variance.dataSync()[0]!)).toBeCloseTo(0.1, 2);
});

test('the spectral norm by power iteration (V2, R4F)', () => {
  const weight = tf.tensor2d([3, 0, 4, 5], [2, 2]);
  const first = powerIteration(weight, tf.tensor2d([1, 0], [2, 1]));
  near(first.right, [1, 0]);
  near(first.left, [0.6, 0.8]);
  near(spectrallyNormalized(weight, first), [0.6, 0, 0.8, 1]);
  let vectors = powerIteration(weight, first.left);
  near(spectrallyNormalized(weight, vectors), [0.4496574, 0, 0.5995432, 0.749429]);
  for (let i = 0; i < 30; i++) vectors = powerIteration(weight, vectors.left);
  near(tf.max(tf.div(5, tf.max(spectrallyNormalized(weight, vectors)))), [6.7082039], 5);
});

test('the gradient of the normalized weight goes through sigma', () => {
  const weight = tf.tensor2d([3, 0, 4, 5], [2, 2]);
  const vectors = powerIteration(weight, tf.tensor2d([1, 0], [2, 1]));
  const upstream = tf.clone(weight);
  const gradient = tf.grad((w) => tf.sum(tf.mul(spectrallyNormalized(w as tf.Tensor2D, vectors), upstream)))(
    weight,
  );
  // sum W^2 / sigma: d = W / sigma - (sum W^2 / sigma^2) u v^T
  near(gradient, [3 / 5 - 2 * 0.6, 0, 4 / 5 - 2 * 0.8, 1], 5);
});

test.each([
  [{ weight: -1 }, 'r3f: weight must be a finite number >= 0, got -1.'],
  [{ scale: NaN }, 'r3f: scale must be a finite number >= 0, got NaN.'],
  [{ noise: 'gaussian' }, "r3f: noise must be one of 'uniform', 'normal', got 'gaussian'."],
  [{ hype: true }, "r3f: hype must be one of 'noised', 'both', 'main', got true."],
  [{ spectralNorm: 1 }, 'r3f: spectralNorm must be true or false, got 1.'],
  [{ lambda: 1 }, "r3f: unknown option 'lambda'"],
])('%o is refused by name', (options, message) => {
  expect(() => r3f.create(options)).toThrow(message);
});

test('R4F is R3F with the constraint', () => {
  expect(r4f.create({ scale: 1e-4 })).toMatchObject({
    name: 'r3f',
    options: { spectralNorm: true, scale: 1e-4 },
  });
});
