import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { tensorData, Trainer } from '@hypetune/core';
import { expect, test } from 'vitest';
import { noisytune, noisyWeight } from './index.js';

const near = (tensor: tf.Tensor, wanted: number[]): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
};

test('noise in units of the unbiased deviation of the tensor (V7)', () => {
  const uniform = tf.tensor1d([0.1, 0.9, 0.5, 0.5]);
  near(noisyWeight(tf.tensor1d([1, 2, 3, 4]), uniform, 0.15), [0.92254033, 2.07745967, 3, 4]);
});

test('one entry, a scalar and equal entries stay as they are (V7)', () => {
  near(noisyWeight(tf.tensor1d([3]), tf.tensor1d([0.9]), 0.15), [3]);
  near(noisyWeight(tf.tensor2d([[3]]), tf.tensor2d([[0.9]]), 0.15), [3]);
  near(noisyWeight(tf.scalar(3), tf.scalar(0.9), 0.15), [3]);
  near(noisyWeight(tf.tensor1d([2, 2]), tf.tensor1d([0.9, 0.1]), 0.15), [2, 2]);
});

test('moving statistics of a normalization stay, its scale and offset do not', async () => {
  const normalization = layers.batchNormalization({ momentum: 1 }); // its statistics do not follow the batch
  const model = sequential({
    layers: [
      layers.dense({ units: 4, activation: 'tanh', inputShape: [3] }),
      normalization,
      layers.dense({ units: 2 }),
    ],
  });
  const before = [
    [1, 1.1, 1.2, 1.3],
    [0, 0.1, 0, -0.1],
    [0, 1, 2, 3],
    [0.001, 3, 0.001, 3],
  ];
  normalization.setWeights(before.map((values) => tf.tensor1d(values)));
  const trainer = new Trainer({ model, plugins: [noisytune({ intensity: 1 })], steps: 1, compile: false });
  await trainer.fit(tensorData(tf.ones([4, 3]), [0, 1, 0, 1]));
  const [gamma, , mean, variance] = normalization.getWeights();
  near(mean!, before[2]!);
  near(variance!, before[3]!);
  expect(Math.max(...gamma!.dataSync().map((value, i) => Math.abs(value - before[0]![i]!)))).toBeGreaterThan(
    0.01,
  );
});

test('options: default and errors', () => {
  expect(noisytune().options).toEqual({ intensity: 0.15 });
  expect(() => noisytune.create({ intensity: -1 })).toThrow(
    'noisytune: intensity must be a finite number >= 0, got -1.',
  );
  expect(() => noisytune.create({ lambda: 1 })).toThrow("noisytune: unknown option 'lambda'");
});
