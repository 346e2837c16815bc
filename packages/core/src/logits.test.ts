import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential, type Sequential } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { labelWidth, toLogits } from './logits.js';

const model = (units: number, activation?: 'softmax' | 'sigmoid'): Sequential =>
  sequential({ layers: [layers.dense({ units, inputShape: [2], ...(activation && { activation }) })] });

test('a softmax head gives log-probabilities whose softmax is the output again', () => {
  const output = tf.tensor2d([[0.2, 0.5, 0.3]]);
  const back = tf.softmax(toLogits(model(3, 'softmax'), output, 'classification')).dataSync();
  for (const [i, p] of [0.2, 0.5, 0.3].entries()) expect(back[i]).toBeCloseTo(p, 6);
});

test('one binary output becomes two logits', () => {
  const z = tf.tensor2d([[1.5], [-2]]);
  expect(Array.from(toLogits(model(1), z, 'classification').dataSync())).toEqual([0, 1.5, 0, -2]);
  const p = tf.softmax(toLogits(model(1, 'sigmoid'), tf.sigmoid(z), 'classification')).dataSync();
  expect(p[1]).toBeCloseTo(1 / (1 + Math.exp(-1.5)), 6);
  expect(labelWidth(model(1), 'classification')).toBe(2);
  expect(labelWidth(model(1), 'regression')).toBe(1);
});
