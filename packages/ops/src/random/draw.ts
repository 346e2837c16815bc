import * as tf from '@tensorflow/tfjs-core';
import { hasKernel, runKernel, type KeyedDrawAttributes } from '../kernels.js';
import {
  bernoulliParameters,
  normalParameters,
  toBernoulli,
  toNormal,
  toUniform,
  uniformParameters,
  type DrawParameters,
} from './distributions.js';
import { fillWords, type Key } from './threefry.js';

/** Normal draws of mean 0, float32. `deviation` defaults to 1. */
export function randomNormal(shape: number[], key: Key, deviation = 1): tf.Tensor {
  return draw('normal', shape, key, normalParameters(deviation));
}

/** Uniform draws from [low, high), float32; the bounds are kept to 24 bits of the larger one. Defaults: 0 and 1. */
export function randomUniform(shape: number[], key: Key, low = 0, high = 1): tf.Tensor {
  return draw('uniform', shape, key, uniformParameters(low, high));
}

/** Zeros and ones, float32; one with `probability`, kept to 30 bits. */
export function randomBernoulli(shape: number[], key: Key, probability: number): tf.Tensor {
  return draw('bernoulli', shape, key, bernoulliParameters(probability));
}

/**
 * Inverted dropout (Srivastava et al. 2014): x * keep / (1 - rate), keep ~ Bernoulli(1 - rate). Differentiable in x. At rate 0
 * the values are x's own. `rate` is at least 0 and below 1.
 */
export function dropout(x: tf.Tensor, rate: number, key: Key): tf.Tensor {
  if (rate === 0) return tf.clone(x);
  return tf.tidy(() => tf.mul(x, dropoutMask(x.shape, rate, key)));
}

/** What dropout multiplies by: 1 / (1 - rate) where an element is kept, else 0. */
export function dropoutMask(shape: number[], rate: number, key: Key): tf.Tensor {
  if (!(rate >= 0 && rate < 1)) throw new Error(`dropout: rate must be at least 0 and below 1, got ${rate}.`);
  return draw('bernoulli', shape, key, bernoulliParameters(1 - rate, 1 / (1 - rate)));
}

/** The values of one draw in host memory: what every kernel has to reproduce, bit for bit. */
export function drawOnHost(
  distribution: KeyedDrawAttributes['distribution'],
  shape: readonly number[],
  key: Key,
  parameters: DrawParameters,
): Float32Array {
  const values = new Float32Array(tf.util.sizeFromShape([...shape]));
  fillWords(new Int32Array(values.buffer), shape, key);
  if (distribution === 'normal') toNormal(values, parameters);
  else if (distribution === 'uniform') toUniform(values, parameters);
  else toBernoulli(values, parameters);
  return values;
}

function draw(
  distribution: KeyedDrawAttributes['distribution'],
  shape: number[],
  key: Key,
  parameters: DrawParameters,
): tf.Tensor {
  if (!hasKernel('KeyedDraw')) {
    return tf.tensor(drawOnHost(distribution, shape, key, parameters), shape);
  }
  return tf.tidy(() => {
    const attributes: KeyedDrawAttributes = { distribution, shape };
    const [values] = runKernel(
      'KeyedDraw',
      { parameters: packParameters(key, parameters) },
      { ...attributes },
    );
    return values!;
  });
}

/** One int32 tensor for a whole draw, so that an engine feeds one: [key0, key1, offset, width, bits of scale]. */
function packParameters(key: Key, { offset, width, scale }: DrawParameters): tf.Tensor {
  const packed = new Int32Array(5);
  packed.set([key[0], key[1], offset, width]);
  new Float32Array(packed.buffer)[4] = scale;
  return tf.tensor1d(packed, 'int32');
}
