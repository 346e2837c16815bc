import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { foldIn, seedKey } from '@hypetune/ops';
import { expect, test } from 'vitest';
import { chosenLayers, hype, perturb, unitNoise, type LayerSubset } from './index.js';

const hidden = tf.tensor2d([1, 2, 3, 4], [2, 2]);
const rows = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());
const near = (got: number[], wanted: number[]): void => {
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
};

test('perturbs by sigma times the unit noise (V1)', () => {
  near(rows(perturb(hidden, tf.tensor2d([0.5, -1, 2, 0], [2, 2]), 0.1, false)), [1.05, 1.9, 3.2, 4]);
  const half = [0, 0.25, 0.5, 0.75];
  near(
    rows(
      perturb(
        hidden,
        tf.tensor2d(
          half.map((u) => 2 * u - 1),
          [2, 2],
        ),
        0.1,
        false,
      ),
    ),
    [0.9, 1.95, 3, 4.05],
  );
  near(rows(perturb(hidden, tf.tensor2d(half, [2, 2]), 0.1, false)), [1, 2.025, 3.05, 4.075]);
});

test.each([
  ['normal', 0, 1],
  ['uniform', 0, 0.57735],
  ['uniform01', 0.5, 0.288675],
] as const)('%s noise has mean %f and deviation %f', (noise, mean, deviation) => {
  const { mean: gotMean, variance } = tf.moments(unitNoise(noise, [250_000], seedKey(1)));
  expect(Math.abs(rows(gotMean)[0]! - mean)).toBeLessThan(0.006);
  expect(Math.abs(Math.sqrt(rows(variance)[0]!) - deviation)).toBeLessThan(0.004);
});

test('uniform noise is the two-sided form of the one-sided draw', () => {
  const key = foldIn(seedKey(3), 'x');
  near(
    rows(unitNoise('uniform', [5], key)),
    rows(unitNoise('uniform01', [5], key)).map((u) => 2 * u - 1),
  );
});

test.each<[LayerSubset, number, number]>([
  [{}, 4, 16.3],
  [{ topLayers: 2 }, 4, 16.06],
  [{ topLayers: 0 }, 4, 16],
  [{ topLayers: 0, lowLayers: 2 }, 4, 16.24],
  [{ lowLayers: 2 }, 4, 16.24],
  [{ topLayers: 2, lowLayers: 2 }, 4, 16.3],
  [{ layers: [] }, 4, 16.3],
  [{ layers: [0, 3] }, 4, 16.18],
])('subset %o of %i doubling layers gives %f (V1)', (subset, count, wanted) => {
  const chosen = chosenLayers(subset, count);
  let state = 1;
  for (let layer = 0; layer < count; layer++) state = 2 * (state + (chosen.has(layer) ? 0.01 : 0));
  expect(state).toBeCloseTo(wanted, 10);
});

test('a subset beyond the model is refused', () => {
  expect(() => chosenLayers({ topLayers: 5 }, 4)).toThrow(
    "needs layer 4; the model's hidden layers are 0 to 3",
  );
  expect(() => chosenLayers({ layers: [4] }, 4)).toThrow('needs layer 4');
});

test('the noise is a constant to the gradient', () => {
  const gradient = tf.grad((h) =>
    tf.sum(tf.mul(perturb(h, unitNoise('normal', [2, 2], seedKey(1)), 0.1, false), 16)),
  );
  near(rows(gradient(hidden)), [16, 16, 16, 16]);
});

test.each([
  [{ scale: -1 }, 'hype: scale must be a finite number >= 0, got -1.'],
  [{ noise: 'gaussian' }, "hype: noise must be one of 'normal', 'uniform', 'uniform01', got 'gaussian'."],
  [{ hiddenDropout: 1 }, 'hype: hiddenDropout must be a finite number >= 0 and < 1, got 1.'],
  [{ topLayers: 0.5 }, 'hype: topLayers must be an integer >= 0, got 0.5.'],
  [{ layers: [-1] }, 'hype: layers[0] must be an integer >= 0, got -1.'],
  [{ sigma: 1 }, "hype: unknown option 'sigma'"],
])('%o is refused by name', (options, message) => {
  expect(() => hype.create(options)).toThrow(message);
});

test('the defaults', () => {
  expect(hype().options).toEqual({ scale: 1e-5, noise: 'normal', site: 'input', relative: false });
});
