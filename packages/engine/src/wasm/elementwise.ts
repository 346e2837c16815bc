import type * as tf from '@tensorflow/tfjs-core';
import { registerWasmKernel } from './heap.js';
import type { Heap } from './heap.js';

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

/** erf by Abramowitz and Stegun 7.1.26, which tfjs's own kernels use; error below 1.5e-7. `tail` is exp(-x^2). */
function erf(x: number, tail: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const polynomial =
    ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  return x < 0 ? polynomial * tail - 1 : 1 - polynomial * tail;
}

function registerGelu(heap: Heap): void {
  registerWasmKernel('Gelu', ({ inputs }) => {
    const x = inputs['x']!;
    const output = heap.output(x.shape);
    const [values, target] = [heap.floats(x), heap.floats(output)];
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      target[i] = 0.5 * value * (1 + erf(value * Math.SQRT1_2, Math.exp(-0.5 * value * value)));
    }
    return output;
  });
  registerWasmKernel('GeluGradient', ({ inputs }) => {
    const { gradient, x } = inputs as Record<'gradient' | 'x', tf.TensorInfo>;
    const output = heap.output(x.shape);
    const [values, given, target] = [heap.floats(x), heap.floats(gradient), heap.floats(output)];
    const density = 1 / Math.sqrt(2 * Math.PI);
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      const tail = Math.exp(-0.5 * value * value);
      target[i] = given[i]! * (0.5 * (1 + erf(value * Math.SQRT1_2, tail)) + value * density * tail);
    }
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
    const names = ['gradient', 'firstMoment', 'secondMoment', 'parameter'] as const;
    const { beta1, beta2, epsilon } = attrs as Record<'beta1' | 'beta2' | 'epsilon', number>;
    const { shape } = inputs['parameter']!;
    const outputs = [heap.output(shape), heap.output(shape), heap.output(shape)] as const;
    const [gradient, first, second, parameter] = names.map((name) => heap.floats(inputs[name]!)) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const [update, newFirst, newSecond] = outputs.map((output) => heap.floats(output)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const [stepSize, secondScale, decay] = (['stepSize', 'secondScale', 'decay'] as const).map(
      (name) => heap.floats(inputs[name]!)[0]!,
    ) as [number, number, number];
    for (let i = 0; i < update.length; i++) {
      const change = gradient[i]!;
      const m = beta1 * first[i]! + (1 - beta1) * change;
      const v = beta2 * second[i]! + (1 - beta2) * change * change;
      newFirst[i] = m;
      newSecond[i] = v;
      update[i] = (-stepSize * m) / (secondScale * Math.sqrt(v) + epsilon) - decay * parameter[i]!;
    }
    return [...outputs];
  });
}
