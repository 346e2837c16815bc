import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { Trainer } from '@hypetune/core';
import { lora } from '@hypetune/lora';
import { seedKey } from '@hypetune/ops';
import { wiseFt } from '@hypetune/wise-ft';
import { expect, test } from 'vitest';
import { buildModel } from '../../../test/support/models.js';
import { freshValue, isReset, reinit } from './index.js';

const value = (name: string, role: 'kernel' | 'bias' | 'norm', shape: number[]): number[] =>
  Array.from(freshValue({ name, role, shape }, 0.02, seedKey(1)).dataSync());

test('isReset: the top two of four layers and the pooler, never embedding or head', () => {
  expect([0, 1, 2, 3].map((layer) => isReset({ site: 'hidden', layer }, 4, 2, true))).toEqual([
    false,
    false,
    true,
    true,
  ]);
  expect(isReset({ site: 'pooler', layer: undefined }, 4, 2, true)).toBe(true);
  expect(isReset({ site: 'pooler', layer: undefined }, 4, 2, false)).toBe(false);
  expect(isReset({ site: 'embedding', layer: undefined }, 4, 4, true)).toBe(false);
  expect(isReset({ site: 'head', layer: undefined }, 4, 4, true)).toBe(false);
});

test('freshValue: normalization 1 and 0, bias 0', () => {
  expect(value('layer.3.output.LayerNorm.weight', 'norm', [2])).toEqual([1, 1]);
  expect(value('layer.3.output.LayerNorm.bias', 'norm', [2])).toEqual([0, 0]);
  expect(value('batch_norm.moving_variance', 'norm', [1])).toEqual([1]);
  expect(value('norm.gamma', 'norm', [1])).toEqual([1]);
  expect(value('norm.beta', 'norm', [1])).toEqual([0]);
  expect(value('dense.bias', 'bias', [2])).toEqual([0, 0]);
});

test('freshValue: kernels are normal with the given deviation', () => {
  const kernel = tf.tensor1d(value('dense.weight', 'kernel', [100, 100]));
  expect(Math.sqrt(tf.mean(tf.square(kernel)).dataSync()[0]!)).toBeCloseTo(0.02, 3);
  expect(tf.max(tf.abs(kernel)).dataSync()[0]).toBeGreaterThan(0.06);
});

test('options: defaults and errors', () => {
  expect(reinit().options).toEqual({ layers: 1, pooler: true, deviation: 0.02 });
  expect(() => reinit({ layers: -1 })).toThrow('reinit: layers must be an integer >= 0, got -1.');
  expect(() => reinit({ deviation: 0 })).toThrow('reinit: deviation must be a finite number > 0, got 0.');
  expect(() => reinit.create({ pooler: 1 })).toThrow('reinit: pooler must be true or false, got 1.');
});

test.each([
  [lora(), 'they stay random'],
  [wiseFt(), 'averaged with the random values'],
])('$name would keep what is random: warned of', (plugin, reason) => {
  const model = buildModel('bert');
  const warnings: string[] = [];
  new Trainer({ model, plugins: [plugin, reinit()], steps: 1, onWarning: (line) => warnings.push(line) });
  expect(warnings.filter((line) => line.includes(reason))).toHaveLength(1);
  model.dispose();
});
