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

/** Sums over leading axes (gradients of biases) without a transpose, and the gradient of gather. */
export function registerReductions(heap: Heap): void {
  const stockSum = stockKernel(heap, 'Sum');
  registerWasmKernel('Sum', (args) => {
    const { x } = args.inputs as { x: tf.TensorInfo };
    const { axis, keepDims } = args.attrs as { axis: number | number[]; keepDims: boolean };
    const axes = tf.util.parseAxisParam(axis, x.shape).sort((one, other) => one - other);
    const leading = axes.every((axis, position) => axis === position) && axes.length < x.shape.length;
    if (x.dtype !== 'float32' || !leading || axes.length === 0) return stockSum(args);
    const kept = x.shape.slice(axes.length);
    const output = heap.output(keepDims ? [...axes.map(() => 1), ...kept] : kept);
    sumRows(heap.floats(x), heap.floats(output));
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

/** target[j] = sum over the rows of x [rows, target length]. */
export function sumRows(x: Float32Array, target: Float32Array): void {
  const columns = target.length;
  const sums = new Float64Array(columns);
  for (let at = 0; at < x.length; at += columns)
    for (let j = 0; j < columns; j++) sums[j] = sums[j]! + x[at + j]!;
  target.set(sums);
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
