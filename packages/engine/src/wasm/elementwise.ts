import * as tf from '@tensorflow/tfjs-core';
import { registerWasmKernel } from './heap.js';
import type { Heap } from './heap.js';

const sizeOf = ({ shape }: tf.TensorInfo): number => tf.util.sizeFromShape(shape);

/** Layer normalization over the last axis, its gradient, GELU, softmax cross-entropy and AdamW, each in one pass over the heap. */
export function registerElementwise(heap: Heap): void {
  registerLayerNorm(heap);
  registerGelu(heap);
  registerSoftmaxCrossEntropy(heap);
  registerAdamw(heap);
}

function registerLayerNorm(heap: Heap): void {
  registerWasmKernel('LayerNorm', ({ inputs, attrs }) => {
    const { x, scale, offset } = inputs as Record<'x' | 'scale' | 'offset', tf.TensorInfo>;
    const output = heap.output(x.shape);
    const [values, factors, offsets, target] = [x, scale, offset, output].map((tensor) =>
      heap.floats(tensor),
    ) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const width = factors.length;
    for (let at = 0; at < values.length; at += width) {
      const [mean, deviation] = rowMoments(values, at, width, attrs['epsilon'] as number);
      for (let j = 0; j < width; j++)
        target[at + j] = (values[at + j]! - mean) * deviation * factors[j]! + offsets[j]!;
    }
    return output;
  });
  registerWasmKernel('LayerNormGradient', ({ inputs, attrs }) => {
    const { gradient, x, scale } = inputs as Record<'gradient' | 'x' | 'scale', tf.TensorInfo>;
    const outputs = [heap.output(x.shape), heap.output(scale.shape), heap.output(scale.shape)] as const;
    const [values, given, factors] = [heap.floats(x), heap.floats(gradient), heap.floats(scale)];
    const target = heap.floats(outputs[0]);
    const width = factors.length;
    const [ofScale, ofOffset] = [new Float64Array(width), new Float64Array(width)];
    for (let at = 0; at < values.length; at += width) {
      const [mean, deviation] = rowMoments(values, at, width, attrs['epsilon'] as number);
      let [sum, product] = [0, 0];
      for (let j = 0; j < width; j++) {
        const normal = (values[at + j]! - mean) * deviation;
        const change = given[at + j]!;
        ofScale[j] = ofScale[j]! + change * normal;
        ofOffset[j] = ofOffset[j]! + change;
        sum += change * factors[j]!;
        product += change * factors[j]! * normal;
      }
      for (let j = 0; j < width; j++) {
        const normal = (values[at + j]! - mean) * deviation;
        target[at + j] = deviation * (given[at + j]! * factors[j]! - (sum + normal * product) / width);
      }
    }
    heap.floats(outputs[1]).set(ofScale);
    heap.floats(outputs[2]).set(ofOffset);
    return [...outputs];
  });
}

/** Mean and 1 / sqrt(variance + epsilon) of one row. */
function rowMoments(values: Float32Array, at: number, width: number, epsilon: number): [number, number] {
  let sum = 0;
  for (let j = at; j < at + width; j++) sum += values[j]!;
  const mean = sum / width;
  let squares = 0;
  for (let j = at; j < at + width; j++) squares += (values[j]! - mean) ** 2;
  return [mean, 1 / Math.sqrt(squares / width + epsilon)];
}

function registerGelu(heap: Heap): void {
  registerWasmKernel('Gelu', ({ inputs }) => {
    const x = inputs['x']!;
    const output = heap.output(x.shape);
    heap.lanes.run('gelu', sizeOf(x), [heap.address(x)], [heap.address(output)]);
    return output;
  });
  registerWasmKernel('GeluGradient', ({ inputs }) => {
    const { gradient, x } = inputs as Record<'gradient' | 'x', tf.TensorInfo>;
    const output = heap.output(x.shape);
    const given = [heap.address(gradient), heap.address(x)];
    heap.lanes.run('geluGradient', sizeOf(x), given, [heap.address(output)]);
    return output;
  });
}

/** log(sum(exp(row))). */
function rowLogSum(logits: Float32Array, at: number, width: number): number {
  let most = -Infinity;
  for (let j = at; j < at + width; j++) most = Math.max(most, logits[j]!);
  let sum = 0;
  for (let j = at; j < at + width; j++) sum += Math.exp(logits[j]! - most);
  return most + Math.log(sum);
}

function registerSoftmaxCrossEntropy(heap: Heap): void {
  registerWasmKernel('SoftmaxCrossEntropy', ({ inputs }) => {
    const { labels, logits } = inputs as Record<'labels' | 'logits', tf.TensorInfo>;
    const [rows, width] = logits.shape as [number, number];
    const output = heap.output([rows]);
    const [wanted, given, target] = [heap.floats(labels), heap.floats(logits), heap.floats(output)];
    for (let row = 0; row < rows; row++) {
      const total = rowLogSum(given, row * width, width);
      let loss = 0;
      for (let j = row * width; j < (row + 1) * width; j++) loss += wanted[j]! * (total - given[j]!);
      target[row] = loss;
    }
    return output;
  });
  registerWasmKernel('SoftmaxCrossEntropyGradient', ({ inputs }) => {
    const { gradient, labels, logits } = inputs as Record<'gradient' | 'labels' | 'logits', tf.TensorInfo>;
    const [rows, width] = logits.shape as [number, number];
    const output = heap.output(logits.shape);
    const [factors, wanted, given, target] = [
      ...[heap.floats(gradient), heap.floats(labels)],
      ...[heap.floats(logits), heap.floats(output)],
    ] as [Float32Array, Float32Array, Float32Array, Float32Array];
    for (let row = 0; row < rows; row++) {
      const total = rowLogSum(given, row * width, width);
      let weight = 0;
      for (let j = row * width; j < (row + 1) * width; j++) weight += wanted[j]!;
      for (let j = row * width; j < (row + 1) * width; j++)
        target[j] = factors[row]! * (Math.exp(given[j]! - total) * weight - wanted[j]!);
    }
    return output;
  });
}

function registerAdamw(heap: Heap): void {
  registerWasmKernel('AdamwUpdate', ({ inputs, attrs }) => {
    const { beta1, beta2, epsilon } = attrs as Record<'beta1' | 'beta2' | 'epsilon', number>;
    const parameter = inputs['parameter']!;
    const outputs = [0, 1, 2].map(() => heap.output(parameter.shape));
    const tensors = (['gradient', 'firstMoment', 'secondMoment'] as const).map((name) => inputs[name]!);
    const scalars = (['stepSize', 'secondScale', 'decay'] as const).map(
      (name) => heap.floats(inputs[name]!)[0]!,
    );
    heap.lanes.run(
      'adamw',
      sizeOf(parameter),
      [...tensors, parameter].map((tensor) => heap.address(tensor)),
      outputs.map((output) => heap.address(output)),
      [beta1, 1 - beta1, beta2, 1 - beta2, epsilon, ...scalars],
    );
    return outputs;
  });
}
