import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { accuracy, averageRanks, f1, matthews, metricsFor, pearson, predictions, spearman } from './index.js';

interface Case {
  name: string;
  predictions: number[];
  labels: number[];
  accuracy: number;
  matthews: number;
  f1?: number;
  pearson: number;
  spearman: number;
}

/** Made by fixtures/metrics.py from scikit-learn and scipy. */
const golden = JSON.parse(readFileSync(new URL('./fixtures/metrics.json', import.meta.url), 'utf8')) as {
  classification: Case[];
  regression: Case[];
};

test.each(golden.classification)('classification: $name', (expected) => {
  expect(accuracy(expected.predictions, expected.labels)).toBeCloseTo(expected.accuracy, 12);
  expect(matthews(expected.predictions, expected.labels)).toBeCloseTo(expected.matthews, 12);
  if (expected.f1 !== undefined)
    expect(f1(expected.predictions, expected.labels)).toBeCloseTo(expected.f1, 12);
});

test.each(golden.regression)('regression: $name', (expected) => {
  expect(pearson(expected.predictions, expected.labels)).toBeCloseTo(expected.pearson, 10);
  expect(spearman(expected.predictions, expected.labels)).toBeCloseTo(expected.spearman, 10);
});

test('equal values share their average rank', () => {
  expect(averageRanks([3, 1, 3, 2, 3])).toEqual([4, 1, 4, 2, 4]);
});

test('a constant side has correlation 0, not NaN', () => {
  expect(pearson([1, 1, 1], [1, 2, 3])).toBe(0);
  expect(spearman([1, 2, 3], [5, 5, 5])).toBe(0);
});

test('the class is that of the largest logit, the first of equal ones', () => {
  expect(predictions([Float32Array.of(0, 2, 1), Float32Array.of(1, 1, 0)], 'classification')).toEqual([1, 0]);
  expect(predictions([Float32Array.of(-3)], 'regression')).toEqual([-3]);
});

test('several metrics at once, from logits', () => {
  const logits = [Float32Array.of(1, 0), Float32Array.of(0, 1), Float32Array.of(0, 1), Float32Array.of(0, 1)];
  expect(metricsFor(['accuracy', 'f1'], logits, [0, 1, 0, 1], 'classification')).toEqual({
    accuracy: 0.75,
    f1: 0.8,
  });
});

test('what cannot be measured is said', () => {
  const row = [Float32Array.of(1, 0)];
  expect(() => metricsFor(['pearson'], row, [0], 'classification')).toThrow(
    "metrics: 'pearson' is not defined for classification, which has 'accuracy', 'f1', 'matthews'.",
  );
  expect(() => metricsFor(['accurcy' as 'accuracy'], row, [0], 'classification')).toThrow("got 'accurcy'");
  expect(() => metricsFor(['f1'], [Float32Array.of(1, 0, 0)], [0], 'classification')).toThrow('3 outputs');
  expect(() => metricsFor(['accuracy'], row, [0, 1], 'classification')).toThrow('1 predictions for 2 labels');
  expect(() => metricsFor(['accuracy'], [], [], 'classification')).toThrow('no row');
});
