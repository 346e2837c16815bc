import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { tensorData, Trainer } from '@hypetune/core';
import { seedKey } from '@hypetune/ops';
import { ascend, average, freelb, start } from './index.js';

const near = (tensor: tf.Tensor, wanted: number[]): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
};

test('start: zero without a magnitude, else bounded by magnitude over the root of the size', () => {
  near(start([1, 2, 2], 0, seedKey(1)), [0, 0, 0, 0]);
  const drawn = start([500, 2, 8], 0.4, seedKey(1)).dataSync();
  expect(Math.max(...drawn.map(Math.abs))).toBeLessThanOrEqual(0.1);
  expect(Math.max(...drawn)).toBeGreaterThan(0.099);
  expect(Math.min(...drawn)).toBeLessThan(-0.099);
});

test('start: by the tokens of each row where there is a mask', () => {
  const [plain, masked] = [undefined, tf.tensor2d([1, 0, 0, 0, 1, 1, 1, 1], [2, 4])].map((mask) =>
    start([2, 4, 1], 0.4, seedKey(1), mask).dataSync(),
  );
  near(tf.tensor1d(masked!), [2 * plain![0]!, 0, 0, 0, ...plain!.slice(4)]);
});

test('ascend: each row moves by the rate along its own gradient', () => {
  const delta = tf.tensor3d([0, 0, 1, 0], [2, 1, 2]);
  const gradient = tf.tensor3d([3, 4, 0, 0.01], [2, 1, 2]);
  near(ascend(delta, gradient, 0.1, 0), [0.06, 0.08, 1, 0.1]);
});

test('ascend: too long a perturbation is shortened, a short one is left', () => {
  const delta = tf.tensor3d([3, 4, 0.1, 0], [2, 1, 2]);
  near(ascend(delta, tf.zeros([2, 1, 2]), 0.1, 1), [0.6, 0.8, 0.1, 0]);
});

test('average: the mean by name', () => {
  const mean = average([{ a: tf.tensor1d([1, 2]) }, { a: tf.tensor1d([3, 6]) }]);
  near(mean.a!, [2, 4]);
});

test('options: defaults and errors', () => {
  expect(freelb().options).toEqual({ steps: 3, rate: 0.1, magnitude: 0, length: 'real', maxNorm: 0 });
  expect(() => freelb({ steps: 0 })).toThrow('freelb: steps must be an integer >= 1, got 0.');
  expect(() => freelb.create({ rate: -1 })).toThrow('freelb: rate must be a finite number >= 0, got -1.');
  expect(() => freelb.create({ K: 2 })).toThrow("freelb: unknown option 'K'");
});

test('of several tables the one of the tokens is perturbed, whatever the others are wide', async () => {
  const [ids, segments] = ['ids', 'segments'].map((name) => input({ shape: [3], name, dtype: 'int32' }));
  const look = (x: SymbolicTensor, outputDim: number): SymbolicTensor =>
    layers.embedding({ inputDim: 4, outputDim }).apply(x) as SymbolicTensor;
  // Made in this order, the table of the segments is the first of the model.
  const tables = [look(segments!, 2), look(ids!, 5)];
  const joined = layers.flatten().apply(layers.concatenate().apply(tables)) as SymbolicTensor;
  const outputs = layers.dense({ units: 2 }).apply(joined) as SymbolicTensor;
  const shapes: number[][] = [];
  const trainer = new Trainer({
    model: model({ inputs: [ids!, segments!], outputs }),
    plugins: [freelb({ steps: 2, magnitude: 0.1 })],
    steps: 1,
  });
  trainer.hooks.afterEmbedding.tap('test', (vectors) => {
    shapes.push(vectors.shape);
    return vectors;
  });
  await trainer.fit(tensorData([tf.zeros([4, 3], 'int32'), tf.ones([4, 3], 'int32')], [0, 1, 0, 1]));
  expect(shapes).toEqual([
    [4, 3, 5],
    [4, 3, 5],
  ]);
});
