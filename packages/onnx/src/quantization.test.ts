import * as ort from 'onnxruntime-web';
import { expect, test } from 'vitest';
import { Graph } from './graph.js';
import { modelBytes } from './model-bytes.js';
import { quantizeColumns, quantizedProduct, quantizeRows } from './quantization.js';

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

test('a token that is a thousand times as large costs the others nothing', async () => {
  const graph = new Graph('float');
  const row = Float32Array.from({ length: 20 }, (_, i) => Math.cos(i));
  const scale = graph.add('Unsqueeze', [graph.cast('input_ids', 'float'), graph.list(2)]);
  const x = graph.add('Mul', [scale, graph.constant('row', () => graph.floats(row, [20]))]); // [1, T, 20]
  const product = quantizedProduct(graph, 'kernel', x, () => kernel, [20, 3]);
  const sum = graph.add('Identity', [product]);
  const output = { name: sum, dims: ['batch', 'sequence', 3] };
  ort.env.wasm.numThreads = 1;
  const run = await ort.InferenceSession.create(modelBytes({ graph, inputs: ['input_ids'], output }));
  const ids = new ort.Tensor('int64', BigInt64Array.of(1n, 1000n, 0n), [1, 3]);
  const got = (await run.run({ input_ids: ids }))[sum]!.data as Float32Array;
  for (const column of [0, 1, 2]) {
    const wanted = row.reduce((total, value, i) => total + value * kernel[3 * i + column]!, 0);
    const size = row.reduce((total, value, i) => total + Math.abs(value * kernel[3 * i + column]!), 0);
    expect(Math.abs(got[column]! - wanted) / size).toBeLessThan(0.01);
    expect(Math.abs(got[3 + column]! / 1000 - wanted) / size).toBeLessThan(0.01);
    expect(got[6 + column]).toBe(0);
  }
});
