import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { expectResumable } from '../../../test/support/resumed.js';
import { makeTrainer, train } from '../../../test/support/training.js';
import { buildModel } from '../../../test/support/models.js';
import { lion, lionStep } from './index.js';

test('signs of the mixture, and the momentum (V1)', () => {
  const gradient = tf.tensor1d([1, -1, 0, 4]);
  const { direction, momentum } = lionStep(gradient, tf.tensor1d([-2, 0, 0, -1]), 0.5, 0.75);
  expect(Array.from(direction.dataSync())).toEqual([-1, -1, 0, 1]);
  expect(Array.from(momentum.dataSync())).toEqual([-1.25, -0.25, 0, 0.25]);
});

test('every weight with a gradient moves by the learning rate', async () => {
  const options = { steps: 1, optimizer: { learningRate: 0.01, weightDecay: 0 } };
  const before = (await train('features', [lion()], { ...options, optimizer: { learningRate: 0 } })).weights;
  const after = (await train('features', [lion()], options)).weights;
  const moves = Object.entries(after).flatMap(([name, values]) =>
    values.map((value, i) => Math.abs(value - before[name]![i]!)),
  );
  expect(moves.filter((move) => move > 0.005).length).toBeGreaterThan(50);
  for (const move of moves) expect(Math.min(move, Math.abs(move - 0.01))).toBeLessThan(1e-6);
});

test('takes the place of AdamW and says so', () => {
  const model = buildModel('features');
  expect(makeTrainer(model, [lion()]).explain()).toContain('optimizer  lion, learning rate 0.01');
  model.dispose();
});

test('resumes, repeats itself, leaves no tensor', () => expectResumable('features', () => [lion()]));

test('a bad option is refused by name', () => {
  expect(() => lion({ beta1: 1 })).toThrow('lion: beta1 must be a finite number >= 0 and < 1, got 1.');
});
