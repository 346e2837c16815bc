import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, test } from 'vitest';
import { adamwUpdate } from './adamw-update.js';
import { registerReferenceKernels, unregisterReferenceKernels } from './reference-kernels.fixture.js';

const [a, w, beta1, beta2, epsilon] = [0.01, 0.1, 0.9, 0.999, 1e-3];
const gradients = [0.5, -0.02, 1e-4];
const start = [1, -2, 0.5];

/** Three steps in double precision of one parameter, as the two libraries write them. */
function threeSteps(index: number, convention: 'torch' | 'hugging face'): number {
  let [p, m, v] = [start[index]!, 0, 0];
  for (let t = 1; t <= 3; t++) {
    const g = gradients[index]! * t;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const [c1, c2] = [1 - beta1 ** t, 1 - beta2 ** t];
    if (convention === 'torch') {
      p -= a * w * p;
      p -= (a * (m / c1)) / (Math.sqrt(v / c2) + epsilon);
    } else {
      p -= (a * Math.sqrt(c2) * m) / c1 / (Math.sqrt(v) + epsilon);
      p -= a * w * p;
    }
  }
  return p;
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

test.each([
  ['torch', false],
  ['hugging face', false],
  ['torch', true],
  ['hugging face', true],
] as const)('three steps of %s, by kernel: %s', (convention, byKernel) => {
  const calls = byKernel ? registerReferenceKernels('cpu') : new Set();
  tf.tidy(() => {
    let p: tf.Tensor = tf.tensor1d(start);
    let [m, v]: tf.Tensor[] = [tf.zerosLike(p), tf.zerosLike(p)] as [tf.Tensor, tf.Tensor];
    for (let t = 1; t <= 3; t++) {
      const [c1, c2] = [1 - beta1 ** t, 1 - beta2 ** t];
      const sizes =
        convention === 'torch'
          ? { stepSize: a / c1, secondScale: 1 / Math.sqrt(c2) }
          : { stepSize: tf.scalar(((1 - a * w) * a * Math.sqrt(c2)) / c1) };
      const options = { beta1, beta2, epsilon, ...sizes, decay: a * w };
      const result = adamwUpdate(tf.mul(tf.tensor1d(gradients), t), m!, v!, p, options);
      p = tf.add(p, result.update);
      [m, v] = [result.firstMoment, result.secondMoment];
    }
    start.forEach((_, i) => {
      expect(p.dataSync()[i]).toBeCloseTo(threeSteps(i, convention), 6);
    });
  });
  expect(calls.has('AdamwUpdate')).toBe(byKernel);
  unregisterReferenceKernels();
  expect(tf.memory().numTensors).toBe(0);
});

test('no decay leaves the parameter out, and the old moments stay as they were', () => {
  tf.tidy(() => {
    const m = tf.tensor1d([0.1]);
    const v = tf.tensor1d([0.01]);
    const options = { beta1, beta2, epsilon, stepSize: a };
    const { update } = adamwUpdate(tf.tensor1d([1]), m, v, tf.tensor1d([NaN]), options);
    expect(update.dataSync()[0]).toBeCloseTo((-a * 0.19) / (Math.sqrt(0.01099) + epsilon), 7);
    expect([m.dataSync()[0], v.dataSync()[0]]).toEqual([Math.fround(0.1), Math.fround(0.01)]);
  });
});
