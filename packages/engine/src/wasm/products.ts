import * as tf from '@tensorflow/tfjs-core';
import { cpuKernel } from '../bridge.js';
import { registerWasmKernel, stockKernel } from './heap.js';
import type { Heap, WasmKernel } from './heap.js';

/** Rows of [rows, columns] matrices. */
const matrix = (address: number, columns: number): { address: number; row: number; column: number } => ({
  address,
  row: columns,
  column: 1,
});
const transposed = (address: number, columns: number): { address: number; row: number; column: number } => ({
  address,
  row: 1,
  column: columns,
});

const allButLast = (shape: readonly number[]): number => tf.util.sizeFromShape(shape.slice(0, -1));

/** Fills every row of a [rows, bias length] output with the bias. */
function spread(heap: Heap, bias: tf.TensorInfo, output: tf.TensorInfo): void {
  const [values, target] = [heap.floats(bias), heap.floats(output)];
  if (values.length === 1) target.fill(values[0]!);
  else for (let at = 0; at < target.length; at += values.length) target.set(values, at);
}

/** a b over the last two axes, either one transposed, the leading axes broadcast; `bias` is added to each row. */
function multiply(
  heap: Heap,
  a: tf.TensorInfo,
  b: tf.TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
  bias?: tf.TensorInfo,
): tf.TensorInfo {
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [inner, n] = transposeB ? [bColumns, bRows] : [bRows, bColumns];
  if (k !== inner)
    throw new Error(`matMul: the inner sizes differ: [${a.shape.join()}] and [${b.shape.join()}]`);
  const [aBatch, bBatch] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(aBatch, bBatch);
  const output = heap.output([...batch, m, n]);
  if (bias !== undefined) spread(heap, bias, output);
  const accumulate = bias !== undefined;
  const [aCount, bCount, count] = [aBatch, bBatch, batch].map(tf.util.sizeFromShape) as [
    number,
    number,
    number,
  ];
  const left = (transposeA ? transposed : matrix)(heap.address(a), aColumns);
  const right = (transposeB ? transposed : matrix)(heap.address(b), bColumns);
  const target = matrix(heap.address(output), n);
  if ([aCount, bCount].every((size) => size === count || size === 1)) {
    heap.multiplier.run(
      { ...left, outer: aCount === 1 ? 0 : m * k },
      { ...right, outer: bCount === 1 ? 0 : k * n },
      { ...target, outer: m * n },
      { m, n, k, outer: count, accumulate },
    );
    return output;
  }
  const strides = tf.util.computeStrides(batch);
  const offset = (own: number[], index: number): number =>
    batch.reduce((at, _, axis) => {
      const size = own[axis - batch.length + own.length] ?? 1;
      const position = tf.util.indexToLoc(index, batch.length, strides)[axis]!;
      return at * size + (size === 1 ? 0 : position);
    }, 0);
  for (let index = 0; index < count; index++)
    heap.multiplier.run(
      { ...left, address: left.address + 4 * m * k * offset(aBatch, index) },
      { ...right, address: right.address + 4 * k * n * offset(bBatch, index) },
      { ...target, address: target.address + 4 * m * n * index },
      { m, n, k, accumulate },
    );
  return output;
}

/** What a fused product does to its result, in place. */
const activations: Record<string, (x: number, alpha: number) => number> = {
  relu: (x) => (x < 0 ? 0 : x),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  elu: (x) => (x >= 0 ? x : Math.expm1(x)),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  leakyrelu: (x, alpha) => (x < 0 ? alpha * x : x),
};

/** matMul and its fused form, any transposes: the stock ones take a slow path for all but plain 2-D products. */
export function registerProducts(heap: Heap): void {
  const stockFused = stockKernel(heap, '_FusedMatMul');
  const integers = cpuKernel(heap.backend, 'BatchMatMul');
  const fusedIntegers = cpuKernel(heap.backend, '_FusedMatMul');
  const product: WasmKernel = (args) => {
    const { a, b } = args.inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
    const { transposeA, transposeB } = args.attrs as { transposeA: boolean; transposeB: boolean };
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return integers(args);
    return multiply(heap, a, b, transposeA, transposeB);
  };
  registerWasmKernel('BatchMatMul', product);
  registerWasmKernel('_FusedMatMul', (args) => {
    const { a, b, bias } = args.inputs as { a: tf.TensorInfo; b: tf.TensorInfo; bias?: tf.TensorInfo };
    const { transposeA, transposeB, activation, leakyreluAlpha } = args.attrs as {
      transposeA: boolean;
      transposeB: boolean;
      activation: string;
      leakyreluAlpha?: number;
    };
    if (a.dtype !== 'float32' || b.dtype !== 'float32') return fusedIntegers(args);
    const size = bias === undefined ? 1 : tf.util.sizeFromShape(bias.shape);
    const columns = transposeB ? b.shape.at(-2) : b.shape.at(-1);
    const activate = activations[activation];
    if ((activation !== 'linear' && activate === undefined) || (size !== 1 && size !== columns))
      return stockFused(args);
    const output = multiply(heap, a, b, transposeA, transposeB, bias);
    if (activate !== undefined) {
      const values = heap.floats(output);
      for (let i = 0; i < values.length; i++) values[i] = activate(values[i]!, leakyreluAlpha ?? 0);
    }
    return output;
  });
}

/** The kernels of `linear`: x [..., I] kernel [I, O] + bias and its two gradients. */
export function registerLinear(heap: Heap): void {
  registerWasmKernel('Linear', ({ inputs }) => {
    const { x, kernel, bias } = inputs as { x: tf.TensorInfo; kernel: tf.TensorInfo; bias?: tf.TensorInfo };
    const [k, n] = kernel.shape as [number, number];
    const m = allButLast(x.shape);
    const output = heap.output([...x.shape.slice(0, -1), n]);
    if (bias !== undefined) spread(heap, bias, output);
    const [a, b, c] = [
      matrix(heap.address(x), k),
      matrix(heap.address(kernel), n),
      matrix(heap.address(output), n),
    ];
    heap.multiplier.run(a, b, c, { m, n, k, accumulate: bias !== undefined });
    return output;
  });
  registerWasmKernel('LinearInputGradient', ({ inputs }) => {
    const { gradient, kernel } = inputs as { gradient: tf.TensorInfo; kernel: tf.TensorInfo };
    const [n, k] = kernel.shape as [number, number];
    const m = allButLast(gradient.shape);
    const output = heap.output([...gradient.shape.slice(0, -1), n]);
    const c = matrix(heap.address(output), n);
    heap.multiplier.run(matrix(heap.address(gradient), k), transposed(heap.address(kernel), k), c, {
      m,
      n,
      k,
    });
    return output;
  });
  registerWasmKernel('LinearKernelGradient', ({ inputs }) => {
    const { x, gradient } = inputs as { x: tf.TensorInfo; gradient: tf.TensorInfo };
    const [m, n, k] = [x.shape.at(-1)!, gradient.shape.at(-1)!, allButLast(x.shape)];
    const output = heap.output([m, n]);
    const c = matrix(heap.address(output), n);
    heap.multiplier.run(transposed(heap.address(x), m), matrix(heap.address(gradient), n), c, { m, n, k });
    return output;
  });
}
