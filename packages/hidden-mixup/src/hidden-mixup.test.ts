import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { foldIn, seedKey } from '@hypetune/ops';
import { expect, test } from 'vitest';
import { blend, drawBeta, drawOrder, drawPartners, drawShare, hiddenMixup } from './index.js';

const near = (tensor: tf.Tensor, wanted: number[]): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
};
const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [3, 2]);

const partners = tf.tensor1d([1, 2, 0], 'int32');

test('blend: each row keeps its share and takes the rest of its partner', () => {
  near(blend(x, partners, tf.scalar(0.75)), [1.5, 2.5, 3.5, 4.5, 4, 5]);
});

test('blend: a share of 1 changes nothing, to the last bit', () => {
  const values = tf.tensor2d([0.1, 0.2, 1e-20, -3e10, 7.7, 0], [3, 2]);
  expect(blend(values, partners, tf.scalar(1)).arraySync()).toEqual(values.arraySync());
});

test('blend: the gradient is split between a row and the one that took it', () => {
  const weights = tf.tensor2d([[1], [10], [100]]);
  const gradient = tf.grad((h) => tf.sum(tf.mul(blend(h, partners, tf.scalar(0.75)), weights)));
  near(gradient(x), [25.75, 25.75, 7.75, 7.75, 77.5, 77.5]);
});

test('drawShare: a share below a half is turned round', () => {
  for (let seed = 0; seed < 50; seed++) {
    const drawn = drawBeta(0.75, seedKey(seed));
    expect(drawShare(0.75, seedKey(seed))).toBe(drawn < 0.5 ? 1 - drawn : drawn);
  }
});

test.each([0.2, 0.75, 1, 16])('drawBeta(%d): mean 1/2, variance 1 / (4 (2 alpha + 1))', (alpha) => {
  const draws = Array.from({ length: 4000 }, (_, i) => drawBeta(alpha, foldIn(seedKey(1), i)));
  const mean = draws.reduce((sum, d) => sum + d, 0) / draws.length;
  const variance = draws.reduce((sum, d) => sum + (d - mean) ** 2, 0) / draws.length;
  expect(mean).toBeCloseTo(0.5, 1);
  expect(variance / (1 / (4 * (2 * alpha + 1)))).toBeCloseTo(1, 1);
  expect(drawBeta(alpha, seedKey(7))).toBe(drawBeta(alpha, seedKey(7)));
});

test('drawOrder: every order of three turns up about as often', () => {
  const counts = new Map<string, number>();
  for (let i = 0; i < 1200; i++) {
    const order = drawOrder(3, foldIn(seedKey(2), i)).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual(['012', '021', '102', '120', '201', '210']);
  for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(60);
});

test('drawPartners: rows that fill the batch are their own partners and change no other', () => {
  const key = seedKey(4);
  const partners = drawPartners([7, 3, 9, 7, 7], key);
  expect(partners).toEqual([...drawPartners([7, 3, 9], key), 3, 4]);
});

test('options: defaults and errors', () => {
  expect(hiddenMixup().options).toEqual({ alpha: 0.75 });
  expect(() => hiddenMixup({ alpha: -1 })).toThrow(
    'hidden-mixup: alpha must be a finite number >= 0, got -1.',
  );
  expect(() => hiddenMixup({ layers: [0.5] })).toThrow(
    'hidden-mixup: layers[0] must be an integer >= 0, got 0.5.',
  );
  expect(() => hiddenMixup.create({ beta: 1 })).toThrow("hidden-mixup: unknown option 'beta'");
});
