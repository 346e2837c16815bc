import * as tf from '@tensorflow/tfjs-core';
import { registerWasmKernel, stockKernel } from './heap.js';
import type { Heap } from './heap.js';

/** Copies that are none: Identity, and a Transpose that moves no axis longer than one (in the gradient of gather), share the data. */
export function registerCopies(heap: Heap): void {
  const share = ({ dataId, dtype }: tf.TensorInfo, shape: number[]): tf.TensorInfo => {
    heap.backend.incRef(dataId);
    return { dataId, shape, dtype };
  };
  const stockTranspose = stockKernel(heap, 'Transpose');
  registerWasmKernel('Identity', ({ inputs }) => share(inputs['x']!, inputs['x']!.shape));
  registerWasmKernel('Transpose', (args) => {
    const x = args.inputs['x']!;
    const permutation = args.attrs['perm'] as number[];
    const long = permutation.filter((axis) => x.shape[axis] !== 1);
    if (long.some((axis, position) => position > 0 && axis < long[position - 1]!))
      return stockTranspose(args);
    return share(
      x,
      permutation.map((axis) => x.shape[axis]!),
    );
  });
}

/** Sums, means and sums of squares, which the stock kernels add up in one float32 chain, and the gradient of gather. */
export function registerReductions(heap: Heap): void {
  const stock = { Sum: stockKernel(heap, 'Sum'), Mean: stockKernel(heap, 'Mean') };
  for (const name of ['Sum', 'Mean'] as const) {
    registerWasmKernel(name, (args) => {
      const { x } = args.inputs as { x: tf.TensorInfo };
      const { axis, keepDims } = args.attrs as { axis: number | number[] | null; keepDims: boolean };
      if (x.dtype !== 'float32') return stock[name](args);
      const axes = tf.util.parseAxisParam(axis ?? x.shape.map((_, i) => i), x.shape);
      const { values, shape, kept } = sumAxes(heap.floats(x), x.shape, axes);
      const output = heap.output(keepDims ? kept : shape);
      const count = tf.util.sizeFromShape(axes.map((i) => x.shape[i]!));
      // Without an axis the sums are x itself, which lies where it lay before the heap grew.
      const sums = axes.length === 0 ? heap.floats(x) : values;
      heap.floats(output).set(name === 'Sum' ? sums : sums.map((value) => value / count));
      return output;
    });
  }
  registerWasmKernel('SumOfSquares', ({ inputs }) => {
    const output = heap.output([]);
    heap.floats(output)[0] = sumOfSquares(heap.floats(inputs['x']!));
    return output;
  });
  registerWasmKernel('UnsortedSegmentSum', ({ inputs, attrs }) => {
    const { x, segmentIds } = inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo };
    const { numSegments } = attrs as { numSegments: number };
    const output = heap.output([numSegments, ...x.shape.slice(segmentIds.shape.length)], x.dtype);
    sumSegments(heap.values(x), heap.values(segmentIds), heap.values(output), numSegments);
    return output;
  });
}

/** Sums over some axes, each run of adjacent ones in float64: with them left out (`shape`), and with size 1 (`kept`). */
function sumAxes(
  x: Float32Array,
  shape: readonly number[],
  axes: readonly number[],
): { values: Float32Array; shape: number[]; kept: number[] } {
  let values = x;
  const kept = [...shape];
  for (let end = shape.length; end > 0; end--) {
    if (!axes.includes(end - 1)) continue;
    let start = end - 1;
    while (axes.includes(start - 1)) start--;
    const outer = tf.util.sizeFromShape(kept.slice(0, start));
    values = sumRows(values, outer, tf.util.sizeFromShape(kept.slice(end)));
    kept.fill(1, start, end);
    end = start + 1;
  }
  return { values, shape: shape.filter((_, i) => !axes.includes(i)), kept };
}

/** x [outer, rows, inner] -> its sums over the rows, [outer, inner]. */
function sumRows(x: Float32Array, outer: number, inner: number): Float32Array {
  const result = new Float32Array(outer * inner);
  const size = outer === 0 ? 0 : x.length / outer;
  const sums = new Float64Array(inner);
  for (let i = 0; i < outer; i++) {
    if (inner === 1) {
      result[i] = sumOf(x, i * size, size);
      continue;
    }
    sums.fill(0);
    for (let at = i * size; at < (i + 1) * size; at += inner)
      for (let j = 0; j < inner; j++) sums[j] = sums[j]! + x[at + j]!;
    result.set(sums, i * inner);
  }
  return result;
}

/** The sum of `count` numbers in float64: four sums side by side, which do not wait for each other. */
function sumOf(x: Float32Array, from: number, count: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const end = from + count;
  let i = from;
  for (; i + 3 < end; i += 4) {
    a += x[i]!;
    b += x[i + 1]!;
    c += x[i + 2]!;
    d += x[i + 3]!;
  }
  for (; i < end; i++) a += x[i]!;
  return a + b + (c + d);
}

/** The same of the squares of all numbers. */
function sumOfSquares(x: Float32Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = 0;
  for (; i + 3 < x.length; i += 4) {
    a += x[i]! * x[i]!;
    b += x[i + 1]! * x[i + 1]!;
    c += x[i + 2]! * x[i + 2]!;
    d += x[i + 3]! * x[i + 3]!;
  }
  for (; i < x.length; i++) a += x[i]! * x[i]!;
  return a + b + (c + d);
}

type Numbers = Float32Array | Int32Array | Uint8Array;

/** target[ids[i]] += x[i] by rows; ids outside of [0, segments) are left out. */
function sumSegments(x: Numbers, ids: Numbers, target: Numbers, segments: number): void {
  target.fill(0);
  const width = ids.length === 0 ? 0 : x.length / ids.length;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i]!;
    if (id < 0 || id >= segments) continue;
    const [from, to] = [i * width, id * width];
    for (let j = 0; j < width; j++) target[to + j] = target[to + j]! + x[from + j]!;
  }
}
