import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { l2sp, penalty, pulledUpdate } from './index.js';

const weight = tf.tensor2d([1, -2, 3, 0], [2, 2]);
const reference = tf.tensor2d([0.5, -1, 3, 1], [2, 2]);
const near = (tensor: tf.Tensor, wanted: number[]): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
};

test('half the squared distance to the start, or to zero', () => {
  near(penalty(weight, reference, 0.1), [0.05 * (0.25 + 1 + 0 + 1)]);
  near(penalty(weight, undefined, 0.1), [0.05 * 14]);
  near(penalty(weight, weight, 0.1), [0]);
});

test('its gradient is the strength times the difference', () => {
  near(tf.grad((w) => penalty(w, reference, 0.1))(weight), [0.05, -0.1, 0, -0.1]);
});

test('decoupled, the same difference joins the update', () => {
  const update = tf.fill([2, 2], 0.01);
  near(pulledUpdate(update, weight, reference, 0.1), [0.01 - 0.05, 0.01 + 0.1, 0.01, 0.01 + 0.1]);
  near(pulledUpdate(update, weight, undefined, 0.1), [0.01 - 0.1, 0.01 + 0.2, 0.01 - 0.3, 0.01]);
});

test.each([
  [{ weight: -1 }, 'l2-sp: weight must be a finite number >= 0, got -1.'],
  [{ headWeight: NaN }, 'l2-sp: headWeight must be a finite number >= 0, got NaN.'],
  [{ mode: 'soft' }, "l2-sp: mode must be one of 'coupled', 'decoupled', got 'soft'."],
  [{ scope: 'head' }, "l2-sp: scope must be one of 'weights', 'all', got 'head'."],
  [{ alpha: 1 }, "l2-sp: unknown option 'alpha'"],
])('%o is refused by name', (options, message) => {
  expect(() => l2sp.create(options)).toThrow(message);
});
