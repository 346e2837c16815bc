import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { adaptiveOffsets, offsets, sam } from './index.js';

const gradients = { a: tf.tensor1d([3, 0]), b: tf.tensor2d([[4]]) };
const read = (values: Readonly<Record<string, tf.Tensor>>): number[] =>
  Object.values(values).flatMap((value) => Array.from(value.dataSync()));
const near = (got: number[], wanted: number[]): void => {
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
};

test('offsets: rho times the gradient over the norm of all of them (3, 4 -> 5)', () => {
  near(read(offsets(gradients, 0.05)), [0.03, 0, 0.04]);
});

test('offsets: a zero gradient moves nothing', () => {
  near(read(offsets({ a: tf.zeros([2]) }, 0.05)), [0, 0]);
});

test('adaptiveOffsets: w squared times g over the norm of |w| g', () => {
  // |w| g = (6, 0, 8), norm 10; e = .5 / 10 * |w| * (6, 0, 8)
  const weights = { a: tf.tensor1d([-2, 5]), b: tf.tensor2d([[2]]) };
  near(read(adaptiveOffsets(gradients, weights, 0.5)), [0.6, 0, 0.8]);
});

test('options: defaults and errors', () => {
  expect(sam().options).toEqual({ variant: 'sam', eta: 0.01, alpha: 0.4, sigma: 1, lambda: 0.9 });
  expect(() => sam({ radius: -0.1 })).toThrow('sam: radius must be a finite number >= 0, got -0.1.');
  expect(() => sam.create({ variant: 'yes' })).toThrow(
    "sam: variant must be one of 'sam', 'asam', 'gsam', 'friendly', got 'yes'.",
  );
  expect(() => sam.create({ rho: 1 })).toThrow("sam: unknown option 'rho'; it has 'variant', 'radius'");
});
