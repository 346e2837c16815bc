import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { adaptiveOffsets, batchPart, offsets, runningMean, sam, surrogateGradient } from './index.js';

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

test('adaptiveOffsets: T squared times g over the norm of T g, T = 1 where there is no size', () => {
  // T g = (6, 0, 8), norm 10; e = .5 / 10 * T * (6, 0, 8)
  const sizes = { a: tf.tensor1d([2, 5]), b: tf.tensor2d([[2]]) };
  near(read(adaptiveOffsets(gradients, sizes, 0.5)), [0.6, 0, 0.8]);
  // T g = (3, 0, 4) with the second tensor's own size left out of (3, 0, 4 * 1): norm 5
  near(read(adaptiveOffsets(gradients, { a: tf.onesLike(gradients.a) }, 0.5)), [0.3, 0, 0.4]);
});

test('surrogateGradient: the part of g across g there is climbed', () => {
  // g there = (0, 0, 2): of g = (3, 0, 4) the part across it is (3, 0, 0)
  const there = { a: tf.tensor1d([0, 0]), b: tf.tensor2d([[2]]) };
  near(read(surrogateGradient(gradients, there, 0.5)), [-1.5, 0, 2]);
  near(read(surrogateGradient(gradients, there, 0)), [0, 0, 2]);
  near(read(surrogateGradient(gradients, { a: tf.zeros([2]), b: tf.zeros([1, 1]) }, 1)), [-3, 0, -4]);
});

test('batchPart and runningMean: what the batch adds to the mean of those before it', () => {
  const [g, m] = [tf.tensor1d([3, 1]), tf.tensor1d([1, 2])];
  near(Array.from(batchPart(g, m, 0.5).dataSync()), [2.5, 0]);
  near(Array.from(runningMean(m, g, 0.75).dataSync()), [1.5, 1.75]);
  near(Array.from(runningMean(m, g, 0).dataSync()), [3, 1]);
});

test('options: defaults and errors', () => {
  expect(sam().options).toEqual({ variant: 'sam', eta: 0.01, alpha: 0.4, sigma: 1, lambda: 0.9 });
  expect(() => sam({ radius: -0.1 })).toThrow('sam: radius must be a finite number >= 0, got -0.1.');
  expect(() => sam.create({ variant: 'esam' })).toThrow(
    "sam: variant must be one of 'sam', 'asam', 'gsam', 'friendly', got 'esam'.",
  );
  expect(() => sam.create({ rho: 1 })).toThrow("sam: unknown option 'rho'; it has 'variant', 'radius'");
});
