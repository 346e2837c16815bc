import type { Constant, Graph, Value } from './graph.js';

/** Numbers in eight bits, and what each column or row of them is multiplied by. */
export interface Quantized {
  readonly values: Int8Array;
  readonly scales: Float32Array;
}

/**
 * Steps on either side of 0 in a kernel, 7 of the 8 bits: processors without VNNI add two products of an unsigned activation with a
 * weight in 16 signed bits, 2 * 255 * 63 fits there, and twice as much does not.
 */
const KERNEL_STEPS = 63;
/** In a table, which is not multiplied in integers. */
const TABLE_STEPS = 127;

/** A kernel [in, out] rounded column by column to 63 steps of its largest weight, w = q scale. */
export function quantizeColumns(kernel: Float32Array, columns: number): Quantized {
  const largest = new Float32Array(columns);
  for (const [i, weight] of kernel.entries()) {
    const column = i % columns;
    largest[column] = Math.max(largest[column]!, Math.abs(weight));
  }
  const scales = largest.map((most) => (most > 0 ? most / KERNEL_STEPS : 1));
  return { values: Int8Array.from(kernel, (weight, i) => Math.round(weight / scales[i % columns]!)), scales };
}

/** A table rounded row by row, w = q scale. */
export function quantizeRows(table: Float32Array, columns: number): Quantized {
  const scales = Float32Array.from({ length: table.length / columns }, (_, row) => {
    let most = 0;
    for (const weight of table.subarray(row * columns, (row + 1) * columns))
      most = Math.max(most, Math.abs(weight));
    return most > 0 ? most / TABLE_STEPS : 1;
  });
  return {
    values: Int8Array.from(table, (weight, i) => Math.round(weight / scales[Math.floor(i / columns)]!)),
    scales,
  };
}

/**
 * x W with W in eight bits and x rounded to eight when the model runs; sums are exact. Each token is divided by its largest number
 * first, because a few tokens have numbers many times those of all others, and all are rounded by one range. The nodes stand as
 * runtimes look for them to make one of them.
 */
export function quantizedProduct(
  graph: Graph,
  name: Value,
  x: Value,
  kernel: () => Float32Array,
  [inputs, outputs]: readonly [number, number],
): Value {
  const [rounded, scale, zero, largest] = graph.once(`eight bits of ${x}`, () => {
    const most = graph.add('ReduceMax', [graph.add('Abs', [x])], { axes: [-1], keepdims: 1 });
    const positive = graph.add('Max', [most, graph.number(1e-12)]);
    return [...graph.addAll('DynamicQuantizeLinear', [graph.add('Div', [x, positive])], 3), positive];
  }) as [Value, Value, Value, Value];
  let made: Quantized | undefined;
  const quantized = (): Quantized => (made ??= quantizeColumns(kernel(), outputs));
  const values = graph.constant(`${name}_quantized`, () => bytes(quantized().values, [inputs, outputs]));
  const scales = graph.constant(`${name}_scale`, () => graph.floats(quantized().scales, [outputs]));
  const middle = graph.constant('int8:0', () => bytes(new Int8Array(1), []));
  const sums = graph.add('MatMulInteger', [rounded, values, zero, middle]);
  const product = graph.add('Mul', [graph.cast(sums, 'float'), graph.add('Mul', [scale, scales])]);
  return graph.add('Mul', [product, largest]);
}

/** The rows of a table for `ids`, the table in eight bits. */
export function quantizedLookup(
  graph: Graph,
  name: Value,
  ids: Value,
  table: () => Float32Array,
  [rows, columns]: readonly [number, number],
): Value {
  let made: Quantized | undefined;
  const quantized = (): Quantized => (made ??= quantizeRows(table(), columns));
  const values = graph.constant(`${name}_quantized`, () => bytes(quantized().values, [rows, columns]));
  const scales = graph.constant(`${name}_scale`, () => graph.floats(quantized().scales, [rows, 1]));
  const picked = graph.cast(graph.add('Gather', [values, ids]), 'float');
  return graph.add('Mul', [picked, graph.add('Gather', [scales, ids])]);
}

const bytes = ({ buffer, byteOffset, byteLength }: Int8Array, dims: readonly number[]): Constant => ({
  ...{ type: 'int8', dims, bytes: new Uint8Array(buffer, byteOffset, byteLength) },
});
