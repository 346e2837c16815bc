import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { isMixed, mixout, mixture } from './index.js';

// Kernels here are [in, out], the transpose of the sheet's.
const weight = tf.tensor2d([1, 4, 2, 5, 3, 6], [3, 2]);
const reference = tf.tensor2d([0.5, 5, 2.5, 4, 3, 6.5], [3, 2]);
const mask = tf.tensor2d([1, 0, 1], [3, 1]);
const upstream = tf.tensor2d([0.1, 0.4, 0.2, 0.5, 0.3, 0.6], [3, 2]);
const near = (tensor: tf.Tensor, wanted: number[], digits = 5): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, digits);
  });
};
const gradient = (p: number, kind: 'exact' | 'reference'): tf.Tensor =>
  tf.grad((w) => tf.sum(tf.mul(mixture(w, reference, mask, p, kind), upstream)))(weight);

test('kept features are stretched away from the reference, the others are the reference (V4)', () => {
  near(mixture(weight, reference, mask, 0.5, 'exact'), [1.5, 3, 2.5, 4, 3, 5.5]);
  near(mixture(weight, reference, mask, 0.9, 'exact'), [5.5, -5, 2.5, 4, 3, 1.5]);
  near(mixture(weight, reference, mask, 0.9, 'reference'), [5.5, -5, 2.5, 4, 3, 1.5]);
});

test('exact and reference gradients (V4)', () => {
  near(gradient(0.5, 'exact'), [0.2, 0.8, 0, 0, 0.6, 1.2]);
  near(gradient(0.5, 'reference'), [0.1, 0.4, 0, 0, 0.3, 0.6]);
  near(gradient(0.9, 'reference'), [0.1, 0.4, 0, 0, 0.3, 0.6]);
});

test('p 1 is the reference without a gradient', () => {
  near(mixture(weight, reference, tf.zeros([3, 1]), 1, 'exact'), Array.from(reference.dataSync()));
  near(gradient(1, 'exact'), [0, 0, 0, 0, 0, 0]);
});

test('the mean over all masks is the weight', () => {
  const p = 0.7;
  const all = Array.from({ length: 8 }, (_, bits) => [bits & 1, (bits >> 1) & 1, (bits >> 2) & 1]);
  const means = all.map((m) => {
    const kept = m.reduce((sum, bit) => sum + bit, 0);
    return tf.mul(
      mixture(weight, reference, tf.tensor2d(m, [3, 1]), p, 'exact'),
      (1 - p) ** kept * p ** (3 - kept),
    );
  });
  near(tf.addN(means), Array.from(weight.dataSync()));
});

test('at the reference every mask gives the reference, bit for bit', () => {
  expect(mixture(reference, reference, mask, 0.9, 'exact').dataSync()).toEqual(reference.dataSync());
});

test('acts on kernels of two dimensions alone', () => {
  const parameter = {
    name: 'x',
    site: 'hidden',
    layer: 0,
    owner: 'x',
    pretrained: true,
    trainable: true,
  } as const;
  expect(isMixed({ ...parameter, role: 'kernel', shape: [3, 2] })).toBe(true);
  expect(isMixed({ ...parameter, role: 'kernel', shape: [3, 3, 2, 2] })).toBe(false);
  expect(isMixed({ ...parameter, role: 'bias', shape: [2] })).toBe(false);
  expect(isMixed({ ...parameter, role: 'embedding', shape: [9, 2] })).toBe(false);
});

test.each([
  [{ p: 1.5 }, 'mixout: p must be a finite number >= 0 and <= 1, got 1.5.'],
  [{ gradient: 'none' }, "mixout: gradient must be one of 'exact', 'reference', got 'none'."],
  [{ mask: 'own' }, "mixout: mask must be one of 'independent', 'shared', got 'own'."],
  [{ dropout: 1 }, 'mixout: dropout must be a finite number >= 0 and < 1, got 1.'],
  [{ probability: 0.9 }, "mixout: unknown option 'probability'"],
])('%o is refused by name', (options, message) => {
  expect(() => mixout.create(options)).toThrow(message);
});
