import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { tensorData, Trainer } from '@hypetune/core';
import { expect, test } from 'vitest';
import { flooded, flooding } from './index.js';

const value = (tensor: tf.Tensor): number => tensor.dataSync()[0]!;

test('above the level the loss stays, below it is mirrored', () => {
  expect(value(flooded(tf.scalar(0.75), 0.5))).toBe(0.75);
  expect(value(flooded(tf.scalar(0.25), 0.5))).toBe(0.75);
});

test('the gradient keeps its size and turns round below the level', () => {
  const gradient = tf.grad((x) => flooded(tf.mul(3, x) as tf.Scalar, 0.6));
  expect(value(gradient(tf.scalar(0.25)))).toBe(3);
  expect(value(gradient(tf.scalar(0.1)))).toBe(-3);
});

test('training descends to the level and stays there', async () => {
  const model = sequential({
    layers: [layers.dense({ units: 2, inputShape: [2], kernelInitializer: 'zeros' })],
  });
  const x = tf.tensor2d([1, 0, 0, 1], [2, 2]);
  const losses: number[] = [];
  const trainer = new Trainer({
    ...{ model, plugins: [flooding({ level: 0.3 })], epochs: 80, compile: false },
    ...{ optimizer: { learningRate: 0.05 }, schedule: { warmup: 0, decay: 'constant' } },
  });
  trainer.hooks.onStep.tap('test', ({ loss }) => losses.push(loss));
  await trainer.fit(tensorData(x, [0, 1]));
  expect(losses[0]).toBeCloseTo(Math.log(2), 5);
  for (const loss of losses.slice(-20)) expect(Math.abs(loss - 0.3)).toBeLessThan(0.05);
  model.dispose();
});

test('options are checked by name', () => {
  expect(flooding().options.level).toBe(0.05);
  expect(() => flooding.create({ level: -1 })).toThrow(
    'flooding: level must be a finite number >= 0, got -1.',
  );
  expect(() => flooding.create({ b: 1 })).toThrow("flooding: unknown option 'b'; it has 'level'.");
});
