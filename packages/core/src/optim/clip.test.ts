import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { globalNorm } from '../math/norm.js';
import { clipByGlobalNorm } from './clip.js';

test('bounds the global norm over all tensors and leaves smaller ones alone', () => {
  const gradients = { a: tf.tensor1d([3, 0]), b: tf.tensor2d([[4]]) };
  const norm = globalNorm(Object.values(gradients));
  expect(norm.dataSync()[0]).toBe(5);
  const clipped = clipByGlobalNorm(gradients, norm, 1);
  expect(globalNorm(Object.values(clipped)).dataSync()[0]).toBeCloseTo(1, 6);
  expect(clipByGlobalNorm(gradients, norm, 10).a!.dataSync()).toEqual(gradients.a.dataSync());
});
