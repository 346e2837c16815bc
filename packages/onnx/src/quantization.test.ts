import { expect, test } from 'vitest';
import { quantizeColumns, quantizeRows } from './quantization.js';

const kernel = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i * i) * 10 ** (i % 3)); // [20, 3]

test('a column is rounded to 63 steps of its own largest weight', () => {
  const { values, scales } = quantizeColumns(kernel, 3);
  for (const [i, weight] of kernel.entries()) {
    const scale = scales[i % 3]!;
    expect(Math.abs(values[i]! * scale - weight)).toBeLessThanOrEqual(0.5001 * scale);
  }
  for (const column of [0, 1, 2]) {
    const steps = Array.from({ length: 20 }, (_, row) => Math.abs(values[3 * row + column]!));
    expect(Math.max(...steps)).toBe(63);
  }
});

test('a row is rounded to 127 steps of its own largest weight', () => {
  const { values, scales } = quantizeRows(kernel, 20);
  expect(scales).toHaveLength(3);
  for (const [i, weight] of kernel.entries()) {
    const scale = scales[Math.floor(i / 20)]!;
    expect(Math.abs(values[i]! * scale - weight)).toBeLessThanOrEqual(0.5001 * scale);
  }
});

test('zeros stay zeros', () => {
  expect(quantizeColumns(new Float32Array(4), 2)).toEqual({
    ...{ values: new Int8Array(4), scales: Float32Array.of(1, 1) },
  });
  expect(quantizeRows(new Float32Array(4), 2).values).toEqual(new Int8Array(4));
});
