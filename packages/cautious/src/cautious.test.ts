import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { lion } from '@hypetune/lion';
import { expect, test } from 'vitest';
import { expectResumable } from '../../../test/support/resumed.js';
import { train } from '../../../test/support/training.js';
import { cautious, cautiousUpdate } from './index.js';

test('entries against the gradient are dropped, the others scaled up (V1)', () => {
  const update = tf.tensor1d([-1, 2, 3, -4]);
  const gradient = tf.tensor1d([1, -1, 5, 0]);
  expect(Array.from(cautiousUpdate(update, gradient, 1e-3).dataSync())).toEqual([-2, 4, 0, -0]);
  expect(Array.from(cautiousUpdate(update, gradient, 1).dataSync())).toEqual([-1, 2, 0, -0]);
  const against = cautiousUpdate(tf.tensor1d([1, 1]), tf.tensor1d([1, 1]), 1e-3);
  expect(Array.from(against.dataSync())).toEqual([0, 0]);
});

test.each([
  ['AdamW', []],
  ['Lion', [lion()]],
])('changes the steps of %s, wherever it stands in the list', async (_, others) => {
  const first = await train('features', [cautious(), ...others]);
  expect(await train('features', [...others, cautious()])).toEqual(first);
  expect(first.losses).not.toEqual((await train('features', others)).losses);
});

test('resumes, repeats itself, leaves no tensor', () => expectResumable('features', () => [cautious()]));

test('a bad floor is refused by name', () => {
  expect(() => cautious({ floor: 0 })).toThrow(
    'cautious: floor must be a finite number > 0 and <= 1, got 0.',
  );
});
