import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { r3f } from '@hypetune/r3f';
import { expect, test, vi } from 'vitest';
import {
  expectClose,
  fixture,
  injected,
  nextDraw,
  oneStep,
  tensor,
  type Nested,
  type Tensors,
} from './harness.js';

vi.mock('@hypetune/ops', async (original) => ({
  ...(await original<object>()),
  randomUniform: (shape: number[]) => nextDraw(shape),
}));

interface Fixture {
  tokens: number[][];
  labels: number[];
  noise: Nested;
  weight: number;
  weights: Tensors;
  loss: number;
  divergence: number;
  gradients: Tensors;
}
const { tokens, labels, noise, weight, weights, loss, divergence, gradients } = fixture<Fixture>('r3f');

/** The criterion forces its divergence to float32, so the fixture itself is rounded there. */
const TOLERANCE = 3e-6;

const NAMES = {
  'table/embeddings': 'table',
  'dense/kernel': 'dense',
  'dense/bias': 'denseBias',
  'head/kernel': 'head',
  'head/bias': 'headBias',
} as const;
const stored = (name: keyof typeof NAMES, values: Tensors): tf.Tensor => {
  const value = tensor(values[NAMES[name]]!);
  return name.endsWith('kernel') ? tf.transpose(value) : value;
};

test('the published criterion: the same loss, divergence and gradients, none to the table from the noised pass', async () => {
  const model = sequential({
    layers: [
      layers.embedding({ name: 'table', inputDim: 7, outputDim: 4, inputLength: 4 }),
      layers.globalAveragePooling1d({}),
      layers.dense({ name: 'dense', units: 5, activation: 'tanh' }),
      layers.dense({ name: 'head', units: 3 }),
    ],
  });
  for (const variable of model.weights)
    variable.write(stored(variable.originalName as keyof typeof NAMES, weights));
  injected.push(tensor(noise));
  const batch = {
    inputs: [tf.tensor2d(tokens, undefined, 'int32')],
    labels: tf.cast(tf.oneHot(labels, 3), 'float32') as tf.Tensor2D,
  };
  const seen = await oneStep(model, [r3f({ weight })], batch);
  expect(seen.loss).toBeCloseTo(loss, 5);
  expect(seen.terms.r3f).toBeCloseTo(weight * divergence, 5);
  for (const name of Object.keys(NAMES) as (keyof typeof NAMES)[])
    expectClose(seen.gradients[name.replace('/', '.')]!, stored(name, gradients).arraySync(), TOLERANCE);
});
