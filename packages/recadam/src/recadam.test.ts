import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { recadam, recAdamUpdate, taskShare, type Annealing } from './index.js';

const near = (got: number[], wanted: number[]): void => {
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
};

/** Two steps from [.9, -1.8] towards [1, -2] under AdamW in its older convention, decay after the pull. */
function run(annealing: Annealing['annealing'], weight = 1): { shares: number[]; weights: number[] } {
  const [rate, beta1, beta2, epsilon, decay, gamma] = [0.01, 0.9, 0.999, 1e-2, 0.01, 10];
  const gradients = [
    [0.1, -0.3],
    [0.2, 0],
  ];
  const reference = tf.tensor1d([1, -2]);
  let p = tf.tensor1d([0.9, -1.8]);
  let [m, v] = [
    [0, 0],
    [0, 0],
  ];
  const shares: number[] = [];
  const weights = gradients.flatMap((g, i) => {
    m = m.map((x, j) => beta1 * x + (1 - beta1) * g[j]!);
    v = v.map((x, j) => beta2 * x + (1 - beta2) * g[j]! ** 2);
    const size = (rate * Math.sqrt(1 - beta2 ** (i + 1))) / (1 - beta1 ** (i + 1));
    const update = tf.tensor1d(m.map((x, j) => (-size * x) / (Math.sqrt(v[j]!) + epsilon)));
    const share = taskShare(i + 1, { annealing, weight, rate: 0.5, midpoint: 2 });
    shares.push(share);
    const change =
      weight === 0 ? update : recAdamUpdate(update, p, reference, share, rate * gamma * (weight - share));
    p = tf.mul(tf.add(p, change), 1 - rate * decay);
    return Array.from(p.dataSync());
  });
  return { shares, weights };
}

test.each<[Annealing['annealing'], number[], number[]]>([
  ['sigmoid', [0.37754067, 0.5], [0.90528346, -1.81054453, 0.90802958, -1.81828637]],
  ['linear', [0.5, 1], [0.90376841, -1.80750677, 0.89968075, -1.80406512]],
  ['constant', [1, 1], [0.89750771, -1.79495216, 0.89342068, -1.79151176]],
])('%s annealing over two steps (V6)', (annealing, shares, weights) => {
  const got = run(annealing);
  near(got.shares, shares);
  near(got.weights, weights);
});

test('without weight it is AdamW, as with constant annealing (V6)', () => {
  near(run('sigmoid', 0).weights, run('constant').weights);
});

test('the pull alone shortens the distance by 1 - pull a step, and at 2 it never ends (V6)', () => {
  const zero = tf.zeros([1]);
  const step = (distance: number, pull: number): number =>
    distance + recAdamUpdate(zero, tf.tensor1d([distance]), zero, 0, pull).dataSync()[0]!;
  expect(step(1, 0.1)).toBeCloseTo(0.9, 6);
  expect(step(step(1, 2), 2)).toBe(1);
});

test.each([
  [{ weight: -1 }, 'recadam: weight must be a finite number >= 0, got -1.'],
  [{ pull: -1 }, 'recadam: pull must be a finite number >= 0, got -1.'],
  [
    { annealing: 'cosine' },
    "recadam: annealing must be one of 'sigmoid', 'linear', 'constant', got 'cosine'.",
  ],
  [{ rate: Infinity }, 'recadam: rate must be a finite number >= 0, got Infinity.'],
  [{ midpoint: '250' }, "recadam: midpoint must be a finite number >= 0, got '250'."],
  [{ gamma: 5000 }, "recadam: unknown option 'gamma'"],
])('%o is refused by name', (options, message) => {
  expect(() => recadam.create(options)).toThrow(message);
});

test('the defaults', () => {
  expect(recadam().options).toEqual({
    weight: 1,
    pull: 5000,
    annealing: 'sigmoid',
    rate: 0.5,
    midpoint: 250,
  });
});
