import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { expect, test } from 'vitest';
import { drawOnHost, dropout, randomBernoulli, randomNormal, randomUniform } from './draw.js';
import { bernoulliParameters, normalParameters, toNormal, uniformParameters } from './distributions.js';
import { foldIn, seedKey } from './key.js';

const key = seedKey(20221017);
const shape = [16, 128, 512];
const size = 1 << 20;
const normal = drawOnHost('normal', shape, key, normalParameters(1));
const uniform = drawOnHost('uniform', shape, key, uniformParameters(0, 1));

// From scripts/golden-draws.py, which follows the description in Python's whole numbers. A change here changes every run.
test.each([
  [
    'normal',
    normalParameters(1),
    '3da97c40 bec1ae90 bfecc2dc 3f850eac bfbb1118 be171be0 ' +
      '3f8e3ff4 bc672e00 4025d4e4 3f3f2340 c00ec090 bf2367f8',
  ],
  [
    'normal',
    normalParameters(1e-5),
    '355e25d8 b67ddcdb b79b29ef 372e66a0 b7753131 b5c60fba ' +
      '373a731e b4178184 37d95bda 36fa872b b7bb1bb0 b6d62dff',
  ],
  [
    'uniform',
    uniformParameters(-0.1, 0.3),
    '3db1c8e0 3e76d3e6 3de728c8 bd250318 3e03de4e 3e8d963c ' +
      'bd3f5888 3e987283 bdc8e1b4 bc1282a0 3dd75520 3e519192',
  ],
  [
    'uniform',
    uniformParameters(-1e-5, 1e-5),
    'b5310c30 36eca162 352cbf90 b6eb5c72 35c11fc0 371416fe ' +
      'b6f625bc 3725e233 b7262acd b6b6c65c 348a0d40 36af95c8',
  ],
  [
    'bernoulli',
    bernoulliParameters(0.5),
    '3f800000 00000000 00000000 3f800000 00000000 00000000 ' +
      '3f800000 00000000 3f800000 3f800000 00000000 00000000',
  ],
] as const)('golden bits: %s, %j', (distribution, parameters, expected) => {
  const bits = new Uint32Array(drawOnHost(distribution, [3, 2, 2], [1, 0x9e3779b9], parameters).buffer);
  expect([...bits].map((word) => word.toString(16).padStart(8, '0')).join(' ')).toBe(expected);
});

test('tensors hold the host draws, and the same key gives the same draw', () => {
  tf.tidy(() => {
    expect(randomNormal([3, 5], key, 2).dataSync()).toEqual(
      drawOnHost('normal', [3, 5], key, normalParameters(2)),
    );
    expect(randomUniform([3, 5], key).dataSync()).toEqual(
      drawOnHost('uniform', [3, 5], key, uniformParameters(0, 1)),
    );
    expect(randomBernoulli([15], key, 0.3).dataSync()).toEqual(
      drawOnHost('bernoulli', [15], key, bernoulliParameters(0.3)),
    );
    expect(randomNormal([], key).shape).toEqual([]);
    expect(randomNormal([0, 3], key).shape).toEqual([0, 3]);
  });
  expect(tf.memory().numTensors).toBe(0);
});

// Bounds below are 4 deviations of the statistic: one run in 16,000 would fail by chance, and these seeds are fixed.
test('normal: moments', () => {
  const moment = (power: number): number => normal.reduce((sum, z) => sum + z ** power, 0) / size;
  const error = 4 / Math.sqrt(size);
  expect(Math.abs(moment(1))).toBeLessThan(error);
  expect(Math.abs(moment(2) - 1)).toBeLessThan(error * Math.sqrt(2));
  expect(Math.abs(moment(3))).toBeLessThan(error * Math.sqrt(15));
  expect(Math.abs(moment(4) - 3)).toBeLessThan(error * Math.sqrt(96));
});

test('normal: Kolmogorov-Smirnov against the normal distribution', () => {
  // 1.95 / sqrt(n) is exceeded with probability 0.001.
  expect(kolmogorovSmirnov(normal, normalCumulative) * Math.sqrt(size)).toBeLessThan(1.95);
});

test('normal: the tails, over 33 million draws', () => {
  const beyond = new Map([2, 3, 4, 5].map((z) => [z, 0]));
  for (let i = 0; i < 32; i++) {
    for (const z of drawOnHost('normal', shape, foldIn(key, 'tails', i), normalParameters(1))) {
      const distance = Math.abs(z);
      if (distance > 2)
        for (const limit of beyond.keys()) if (distance > limit) beyond.set(limit, beyond.get(limit)! + 1);
    }
  }
  for (const [limit, probability] of [
    [2, 0.0455002639],
    [3, 0.0026997961],
    [4, 6.334248e-5],
    [5, 5.733031e-7],
  ] as const) {
    const expected = 32 * size * probability;
    expect(Math.abs(beyond.get(limit)! - expected)).toBeLessThan(4 * Math.sqrt(expected));
  }
});

test('normal: the farthest draws and the centre', () => {
  const place = (word: number): number => {
    const values = new Float32Array(new Int32Array([word]).buffer);
    toNormal(values, normalParameters(1));
    return values[0]!;
  };
  expect(place(0)).toBeCloseTo(6.27, 1);
  expect(place(0x80000000 | 0)).toBe(-place(0));
  expect(place(0x7fffffff)).toBe(0);
  expect(place(0x20000001)).toBeCloseTo(1.1503494, 4); // a tail of 1/8
});

test('uniform: chi-square of 1024 bins, bounds, symmetry', () => {
  const bins = new Float64Array(1024);
  for (const u of uniform) bins[Math.floor(u * 1024)]!++;
  const expected = size / 1024;
  const chiSquare = bins.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  expect(Math.abs(chiSquare - 1023)).toBeLessThan(4 * Math.sqrt(2 * 1023));
  expect(uniform.every((u) => u >= 0 && u < 1)).toBe(true);
  expect(kolmogorovSmirnov(uniform, (u) => u) * Math.sqrt(size)).toBeLessThan(1.95);

  const symmetric = drawOnHost('uniform', shape, key, uniformParameters(-1e-5, 1e-5));
  expect(symmetric.every((u) => u > -1e-5 && u < 1e-5 && u !== 0)).toBe(true);
  expect(Math.abs(symmetric.reduce((sum, u) => sum + u, 0) / size / 1e-5)).toBeLessThan(
    4 / Math.sqrt(3 * size),
  );
  const shifted = drawOnHost('uniform', shape, key, uniformParameters(5, 6));
  expect(shifted.every((u) => u >= 5 && u < 6)).toBe(true);
  expect(new Set(shifted).size).toBeGreaterThan(size / 2);
});

test('uniform: its whole numbers fill 24 bits of the larger bound', () => {
  expect(uniformParameters(0, 1)).toEqual({ offset: 0, width: 2 ** 24, scale: 2 ** -24 });
  expect(uniformParameters(-1, 1)).toEqual({ offset: -(2 ** 24), width: 2 ** 25, scale: 2 ** -24 });
  expect(uniformParameters(-3, 1)).toEqual({ offset: -3 * 2 ** 22, width: 2 ** 24, scale: 2 ** -22 });
  expect(drawOnHost('uniform', [3], key, uniformParameters(0, 0))).toEqual(new Float32Array(3));
  expect(drawOnHost('uniform', [3], key, uniformParameters(0.1, 0.1))).toEqual(new Float32Array(3).fill(0.1));
});

test('bernoulli: frequency, and 0 and 1 are certain', () => {
  for (const probability of [0.001, 0.1, 0.5, 0.9]) {
    const mean =
      drawOnHost('bernoulli', shape, key, bernoulliParameters(probability)).reduce((sum, x) => sum + x, 0) /
      size;
    expect(Math.abs(mean - probability)).toBeLessThan(
      4 * Math.sqrt((probability * (1 - probability)) / size),
    );
  }
  expect(drawOnHost('bernoulli', [1000], key, bernoulliParameters(0)).every((x) => x === 0)).toBe(true);
  expect(drawOnHost('bernoulli', [1000], key, bernoulliParameters(1)).every((x) => x === 1)).toBe(true);
});

test('no correlation between neighbours, places, rows, pairs of rows, keys of consecutive steps, or names', () => {
  const limit = 4.5 / Math.sqrt(size);
  for (const lag of [1, 2, 3, 64, 512, 1024, 65_536, 131_072, 262_144])
    expect(Math.abs(correlation(normal, normal, lag))).toBeLessThan(limit);
  const keys = [
    seedKey(1),
    seedKey(2),
    foldIn(key, 1),
    foldIn(key, 2),
    foldIn(key, 1, 'layer.0'),
    foldIn(key, 1, 'layer.1'),
  ];
  const draws = keys.map((each) => drawOnHost('normal', shape, each, normalParameters(1)));
  for (let i = 0; i < draws.length; i++) {
    for (let j = 0; j < i; j++) {
      expect(Math.abs(correlation(draws[i]!, draws[j]!, 0))).toBeLessThan(limit);
      expect(Math.abs(correlation(draws[i]!, draws[j]!, 1))).toBeLessThan(limit);
      expect(
        Math.abs(correlation(draws[i]!.map(Math.abs), draws[j]!.map(Math.abs), 0, Math.sqrt(2 / Math.PI))),
      ).toBeLessThan(limit);
    }
  }
});

test('first draws of 65,536 consecutive seeds are uniform', () => {
  const first = Float32Array.from(
    { length: 65536 },
    (_, seed) => drawOnHost('uniform', [], seedKey(seed), uniformParameters(0, 1))[0]!,
  );
  expect(kolmogorovSmirnov(first, (u) => u) * 256).toBeLessThan(1.95);
});

test('dropout: keeps, scales, is the identity at rate 0, and its gradient has the same mask', () => {
  tf.tidy(() => {
    const x = tf.ones([100, 100]);
    expect(dropout(x, 0, key).dataSync()).toEqual(x.dataSync());
    const dropped = dropout(x, 0.25, key);
    expect(new Set(dropped.dataSync())).toEqual(new Set([0, Math.fround(4 / 3)]));
    expect(tf.mean(dropped).dataSync()[0]).toBeCloseTo(1, 1);
    expect(
      tf
        .grad((y: tf.Tensor) => tf.sum(dropout(y, 0.25, key)))(x)
        .dataSync(),
    ).toEqual(dropped.dataSync());
  });
  expect(tf.memory().numTensors).toBe(0);
});

test('bad arguments name themselves', () => {
  expect(() => randomNormal([2], key, NaN)).toThrow(
    'randomNormal: deviation must be a finite number, got NaN.',
  );
  expect(() => randomUniform([2], key, 1, 0)).toThrow('randomUniform: low must not exceed high');
  expect(() => randomUniform([2], key, 0, Infinity)).toThrow('randomUniform: high must be a finite number');
  expect(() => randomBernoulli([2], key, 1.5)).toThrow(
    'randomBernoulli: probability must be from 0 to 1, got 1.5.',
  );
  tf.tidy(() => {
    expect(() => dropout(tf.scalar(1), 1, key)).toThrow(
      'dropout: rate must be at least 0 and below 1, got 1.',
    );
  });
});

function correlation(a: Float32Array, b: Float32Array, lag: number, mean = 0): number {
  let sum = 0;
  for (let i = 0; i + lag < a.length; i++) sum += (a[i]! - mean) * (b[i + lag]! - mean);
  return sum / (a.length - lag);
}

function kolmogorovSmirnov(values: Float32Array, cumulative: (x: number) => number): number {
  const sorted = values.slice().sort();
  return sorted.reduce((most, x, i) => {
    const p = cumulative(x);
    return Math.max(most, p - i / sorted.length, (i + 1) / sorted.length - p);
  }, 0);
}

/** Normal cumulative distribution by the series of Marsaglia (2004), to double precision for |x| < 7. */
function normalCumulative(x: number): number {
  let sum = x;
  let term = x;
  for (let i = 3; Math.abs(term) > 1e-17; i += 2) {
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + sum * Math.exp(-0.5 * x * x - 0.91893853320467274178);
}
