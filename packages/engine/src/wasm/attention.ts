import type * as tf from '@tensorflow/tfjs-core';
import type { Matrices, ProductShape } from './multiplier.js';
import { registerWasmKernel } from './heap.js';
import type { Heap } from './heap.js';

interface Inputs {
  query: tf.TensorInfo;
  key: tf.TensorInfo;
  value: tf.TensorInfo;
  maskBias?: tf.TensorInfo;
  mask?: tf.TensorInfo;
}

/** Sizes of one call: batch, heads, queries, keys, size of a head, hidden. */
class Sizes {
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  readonly hidden: number;
  readonly size: number;

  constructor(
    { query, key }: Inputs,
    readonly heads: number,
  ) {
    [this.batch, this.queries, this.hidden] = query.shape as [number, number, number];
    this.keys = key.shape[1]!;
    this.size = this.hidden / heads;
  }

  /** The heads inside a [B, T, H] tensor as matrices [T, size]. */
  inside(address: number, time: number): Matrices {
    return { address, row: this.hidden, column: 1, outer: time * this.hidden, inner: this.size };
  }

  /** The matrices [Q, K] of scores [B, heads, Q, K]. */
  scores(address: number): Matrices {
    const area = this.queries * this.keys;
    return { address, row: this.keys, column: 1, outer: this.heads * area, inner: area };
  }

  shape(m: number, n: number, k: number): ProductShape {
    return { m, n, k, outer: this.batch, inner: this.heads };
  }
}

const transpose = (matrices: Matrices): Matrices => ({
  ...matrices,
  row: matrices.column,
  column: matrices.row,
});

/** softmax(scale q k^T + bias) as a new tensor [B, heads, Q, K]. */
function probabilities(heap: Heap, inputs: Inputs, sizes: Sizes): tf.TensorInfo {
  const { batch, heads, queries, keys, size } = sizes;
  const result = heap.output([batch, heads, queries, keys]);
  heap.multiplier.run(
    sizes.inside(heap.address(inputs.query), queries),
    transpose(sizes.inside(heap.address(inputs.key), keys)),
    sizes.scores(heap.address(result)),
    sizes.shape(queries, keys, size),
  );
  const scores = heap.floats(result);
  const scale = 1 / Math.sqrt(size);
  const { maskBias } = inputs;
  const bias = maskBias === undefined ? new Float32Array(1) : heap.floats(maskBias);
  const [b, h, q, k] = broadcastStrides(maskBias?.shape ?? []);
  for (let row = 0; row < batch * heads * queries; row++) {
    const query = row % queries;
    const head = ((row - query) / queries) % heads;
    const biasAt = Math.floor(row / (heads * queries)) * b + head * h + query * q;
    scaleRow(scores, row * keys, keys, scale, bias, biasAt, k);
  }
  const address = heap.address(result);
  heap.lanes.run('exponential', scores.length, [address], [address]);
  for (let from = 0; from < scores.length; from += keys) {
    let sum = 0;
    for (let j = from; j < from + keys; j++) sum += scores[j]!;
    for (let j = from; j < from + keys; j++) scores[j] = scores[j]! / sum;
  }
  return result;
}

/** Strides of a tensor broadcast to four axes. */
function broadcastStrides(shape: readonly number[]): [number, number, number, number] {
  const strides = [0, 0, 0, 0];
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1) strides[axis + 4 - shape.length] = stride;
    stride *= shape[axis]!;
  }
  return strides as [number, number, number, number];
}

/** One row of products to scale x + bias less their maximum, in place. */
function scaleRow(
  scores: Float32Array,
  from: number,
  size: number,
  scale: number,
  bias: Float32Array,
  biasAt: number,
  biasStride: number,
): void {
  let most = -Infinity;
  for (let j = 0; j < size; j++) {
    const score = scores[from + j]! * scale + bias[biasAt + j * biasStride]!;
    scores[from + j] = score;
    if (score > most) most = score;
  }
  for (let j = 0; j < size; j++) scores[from + j] = scores[from + j]! - most;
}

/** x * mask as a new tensor. */
function masked(heap: Heap, x: tf.TensorInfo, mask: tf.TensorInfo): tf.TensorInfo {
  const result = heap.output(x.shape);
  const [values, factors, target] = [heap.floats(x), heap.floats(mask), heap.floats(result)];
  for (let i = 0; i < target.length; i++) target[i] = values[i]! * factors[i]!;
  return result;
}

/** From the gradient of the kept probabilities to that of the scores before the scale, in place: p (g - sum(g p)) scale. */
function scoreGradient(
  gradient: Float32Array,
  chances: Float32Array,
  mask: Float32Array | undefined,
  keys: number,
  scale: number,
): void {
  for (let from = 0; from < gradient.length; from += keys) {
    let sum = 0;
    for (let j = from; j < from + keys; j++) {
      if (mask !== undefined) gradient[j] = gradient[j]! * mask[j]!;
      sum += gradient[j]! * chances[j]!;
    }
    for (let j = from; j < from + keys; j++) gradient[j] = chances[j]! * (gradient[j]! - sum) * scale;
  }
}

/** Scaled dot-product attention on [B, T, H] tensors: the heads are read and written where they lie. */
export function registerAttention(heap: Heap): void {
  registerWasmKernel('Attention', (args) => {
    const inputs = args.inputs as unknown as Inputs;
    const sizes = new Sizes(inputs, args.attrs['heads'] as number);
    const chances = probabilities(heap, inputs, sizes);
    const kept = inputs.mask === undefined ? chances : masked(heap, chances, inputs.mask);
    const output = heap.output(inputs.query.shape);
    heap.multiplier.run(
      sizes.scores(heap.address(kept)),
      sizes.inside(heap.address(inputs.value), sizes.keys),
      sizes.inside(heap.address(output), sizes.queries),
      sizes.shape(sizes.queries, sizes.size, sizes.keys),
    );
    if (kept !== chances) heap.dispose(kept);
    heap.dispose(chances);
    return output;
  });
  registerWasmKernel('AttentionGradient', (args) => {
    const inputs = args.inputs as unknown as Inputs & { gradient: tf.TensorInfo };
    const sizes = new Sizes(inputs, args.attrs['heads'] as number);
    const { queries, keys, size } = sizes;
    const chances = probabilities(heap, inputs, sizes);
    const kept = inputs.mask === undefined ? chances : masked(heap, chances, inputs.mask);
    const scores = heap.output(chances.shape);
    const outputs = [inputs.query, inputs.key, inputs.value].map(({ shape }) => heap.output(shape));
    const [query, key, value] = outputs.map((output, i) =>
      sizes.inside(heap.address(output), i === 0 ? queries : keys),
    ) as [Matrices, Matrices, Matrices];
    const inside = (tensor: tf.TensorInfo, time: number): Matrices =>
      sizes.inside(heap.address(tensor), time);
    const gradient = inside(inputs.gradient, queries);
    const ofScores = sizes.scores(heap.address(scores));
    const { multiplier } = heap;
    const keptMatrices = sizes.scores(heap.address(kept));
    multiplier.run(transpose(keptMatrices), gradient, value, sizes.shape(keys, size, queries));
    const values = transpose(inside(inputs.value, keys));
    multiplier.run(gradient, values, ofScores, sizes.shape(queries, keys, size));
    const mask = inputs.mask === undefined ? undefined : heap.floats(inputs.mask);
    scoreGradient(heap.floats(scores), heap.floats(chances), mask, keys, 1 / Math.sqrt(size));
    multiplier.run(ofScores, inside(inputs.key, keys), query, sizes.shape(queries, size, keys));
    multiplier.run(transpose(ofScores), inside(inputs.query, queries), key, sizes.shape(keys, size, queries));
    if (kept !== chances) heap.dispose(kept);
    heap.dispose(chances);
    heap.dispose(scores);
    return outputs;
  });
}
