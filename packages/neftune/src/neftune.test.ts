import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { seedKey } from '@hypetune/ops';
import { addNoise, neftune, noiseScale } from './index.js';

test('noiseScale: alpha over the root of length times width', () => {
  expect(noiseScale([7, 4, 25], 5)).toBe(0.5);
  expect(noiseScale([7, 16], 5)).toBe(1.25);
});

test('addNoise: bounded by the scale, centred, uniform', () => {
  const noise = Array.from(addNoise(tf.zeros([64, 4, 25]), 5, seedKey(3)).dataSync());
  const mean = noise.reduce((sum, x) => sum + x, 0) / noise.length;
  const deviation = Math.sqrt(noise.reduce((sum, x) => sum + x * x, 0) / noise.length);
  expect(Math.max(...noise.map(Math.abs))).toBeLessThanOrEqual(0.5);
  expect(Math.max(...noise)).toBeGreaterThan(0.49);
  expect(mean).toBeCloseTo(0, 1);
  expect(deviation).toBeCloseTo(0.5 / Math.sqrt(3), 2);
});

test('addNoise: by the tokens of each row where there is a mask', () => {
  const [plain, masked] = [undefined, tf.tensor2d([1, 0, 0, 0, 1, 1, 1, 1], [2, 4])].map((mask) =>
    addNoise(tf.zeros([2, 4, 1]), 5, seedKey(1), mask).dataSync(),
  );
  [2 * plain![0]!, 0, 0, 0, ...plain!.slice(4)].forEach((value, i) => {
    expect(masked![i]).toBeCloseTo(value, 6);
  });
});

test('addNoise: the same key gives the same draw, another key another', () => {
  const draw = (seed: number): number[] =>
    Array.from(addNoise(tf.zeros([1, 2, 3]), 5, seedKey(seed)).dataSync());
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test('options: defaults and errors', () => {
  expect(neftune().options).toEqual({ alpha: 5, length: 'padded' });
  expect(() => neftune({ alpha: -1 })).toThrow('neftune: alpha must be a finite number >= 0, got -1.');
  expect(() => neftune.create({ scale: 5 })).toThrow(
    "neftune: unknown option 'scale'; it has 'alpha', 'length'.",
  );
});
