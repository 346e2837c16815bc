import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import type { OptimizerSettings } from '../options.js';
import type { Parameter } from '../parameters.js';
import { AdamW, type Rates } from './adamw.js';
import { writeWeights } from './write.js';

const OPTIONS: OptimizerSettings = {
  learningRate: 0.1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-2,
  weightDecay: 0.01,
  epsilonMode: 'torch',
  biasCorrection: true,
};
const UNIFORM: Rates = { uniform: true, of: () => 0.1 };

function parameter(values: number[], role: Parameter['role'] = 'kernel'): Parameter {
  const variable = tf.tidy(() => tf.variable(tf.tensor1d(values)));
  const decays = role === 'kernel';
  return { name: 'p', shape: [values.length], role, decays, rate: 1, variable } as unknown as Parameter;
}

/** Two steps with gradients [.1, -.3] and [.2, 0] from [1, -2]; the weights after each. */
function twoSteps(
  options: Partial<OptimizerSettings>,
  role?: Parameter['role'],
  rates = UNIFORM,
): number[][] {
  const target = parameter([1, -2], role);
  const optimizer = new AdamW({ ...OPTIONS, ...options }, [target]);
  const seen = [
    [0.1, -0.3],
    [0.2, 0],
  ].map((gradient, place) => {
    tf.tidy(() => {
      const updates = optimizer.updates({ p: tf.tensor1d(gradient) }, [target], place + 1, rates);
      writeWeights(updates, [target], rates, { ...OPTIONS, ...options });
    });
    return Array.from(target.variable.dataSync());
  });
  optimizer.dispose();
  target.variable.dispose();
  return seen;
}

function expectClose(actual: number[][], wanted: number[][]): void {
  for (const [i, row] of wanted.entries())
    for (const [j, value] of row.entries()) expect(actual[i]![j]! / value).toBeCloseTo(1, 5.5);
}

// The numbers are those of the official optimizers in float64, with an epsilon large enough to tell them apart.
test.each([
  [
    'hf',
    true,
    [
      [0.97499872, -1.94936539],
      [0.93408689, -1.91483636],
    ],
  ],
  [
    'hf',
    false,
    [
      [0.92310128, -1.84420384],
      [0.75246296, -1.70390939],
    ],
  ],
  [
    'torch',
    true,
    [
      [0.90809091, -1.90122581],
      [0.81640504, -1.83533596],
    ],
  ],
] as const)('two steps in mode %s, bias correction %s', (epsilonMode, biasCorrection, wanted) => {
  expectClose(
    twoSteps({ epsilonMode, biasCorrection }),
    wanted.map((row) => [...row]),
  );
});

test('biases and norms are not decayed', () => {
  const plain = twoSteps({ weightDecay: 0 });
  expect(twoSteps({}, 'bias')).toEqual(plain);
  expect(twoSteps({}, 'norm')).toEqual(plain);
  expect(twoSteps({})).not.toEqual(plain);
});

test('own rates give the same numbers as a uniform one', () => {
  expect(twoSteps({}, 'kernel', { ...UNIFORM, uniform: false })).toEqual(twoSteps({}));
});

test('keeps two moments a parameter and nothing else', () => {
  const before = tf.memory().numTensors;
  twoSteps({});
  expect(tf.memory().numTensors).toBe(before);
});
