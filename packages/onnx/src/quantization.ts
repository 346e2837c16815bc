import type { Graph, Value } from './graph.js';

/** A kernel [in, out] in eight bits: an unsigned number and one scale for each output; 128 stands for 0. */
export interface QuantizedKernel {
  readonly values: Uint8Array;
  readonly scales: Float32Array;
}

/** What stands for 0. */
const ZERO = 128;
/** Steps on either side of 0. */
const STEPS = 127;

/**
 * A kernel rounded column by column to 127 steps of its largest weight, w = (q - 128) scale. Unsigned, because the products of
 * unsigned activations with signed weights saturate on processors without VNNI.
 */
export function quantizeColumns(kernel: Float32Array, columns: number): QuantizedKernel {
  const largest = new Float32Array(columns);
  for (const [i, weight] of kernel.entries()) {
    const column = i % columns;
    largest[column] = Math.max(largest[column]!, Math.abs(weight));
  }
  const scales = largest.map((most) => (most > 0 ? most / STEPS : 1));
  return {
    values: Uint8Array.from(kernel, (weight, i) => ZERO + Math.round(weight / scales[i % columns]!)),
    scales,
  };
}

/** A table rounded row by row, w = q scale. */
export function quantizeRows(
  table: Float32Array,
  columns: number,
): { readonly values: Int8Array; readonly scales: Float32Array } {
  const scales = Float32Array.from({ length: table.length / columns }, (_, row) => {
    let most = 0;
    for (const weight of table.subarray(row * columns, (row + 1) * columns))
      most = Math.max(most, Math.abs(weight));
    return most > 0 ? most / STEPS : 1;
  });
  return {
    values: Int8Array.from(table, (weight, i) => Math.round(weight / scales[Math.floor(i / columns)]!)),
    scales,
  };
}

/**
 * x W with W in eight bits and x rounded to eight when the model runs, by its own smallest and largest number; sums are exact. The
 * nodes stand as runtimes look for them to make one of them.
 */
export function quantizedProduct(
  graph: Graph,
  name: Value,
  x: Value,
  kernel: () => Float32Array,
  [inputs, outputs]: readonly [number, number],
): Value {
  const [rounded, scale, zero] = graph.once(`eight bits of ${x}`, () =>
    graph.addAll('DynamicQuantizeLinear', [x], 3),
  ) as [Value, Value, Value];
  let made: QuantizedKernel | undefined;
  const quantized = (): QuantizedKernel => (made ??= quantizeColumns(kernel(), outputs));
  const values = graph.constant(`${name}_quantized`, () => ({
    ...{ type: 'uint8', dims: [inputs, outputs], bytes: quantized().values },
  }));
  const scales = graph.constant(`${name}_scale`, () => graph.floats(quantized().scales, [outputs]));
  const middle = graph.constant('uint8:128', () => ({
    ...{ type: 'uint8', dims: [], bytes: Uint8Array.of(ZERO) },
  }));
  const sums = graph.add('MatMulInteger', [rounded, values, zero, middle]);
  return graph.add('Mul', [graph.cast(sums, 'float'), graph.add('Mul', [scale, scales])]);
}

/** The rows of a table for `ids`, the table in eight bits. */
export function quantizedLookup(
  graph: Graph,
  name: Value,
  ids: Value,
  table: () => Float32Array,
  [rows, columns]: readonly [number, number],
): Value {
  let made: ReturnType<typeof quantizeRows> | undefined;
  const quantized = (): ReturnType<typeof quantizeRows> => (made ??= quantizeRows(table(), columns));
  const values = graph.constant(`${name}_quantized`, () => {
    const { buffer, byteOffset, byteLength } = quantized().values;
    return { type: 'int8', dims: [rows, columns], bytes: new Uint8Array(buffer, byteOffset, byteLength) };
  });
  const scales = graph.constant(`${name}_scale`, () => graph.floats(quantized().scales, [rows, 1]));
  const picked = graph.cast(graph.add('Gather', [values, ids]), 'float');
  return graph.add('Mul', [picked, graph.add('Gather', [scales, ids])]);
}
