import * as tf from '@tensorflow/tfjs-core';
import { threefry, type Key } from './threefry.js';

/** Normal draws of mean 0, float32. `deviation` defaults to 1. */
export function randomNormal(shape: number[], key: Key, deviation = 1): tf.Tensor {
  return tf.tensor(
    words(shape, key, (word, next) => {
      const radius = Math.sqrt(-2 * Math.log((word + 0.5) / 2 ** 32));
      return deviation * radius * Math.cos((2 * Math.PI * next) / 2 ** 32);
    }),
    shape,
  );
}

/** Uniform draws from [low, high), float32. Defaults: 0 and 1. */
export function randomUniform(shape: number[], key: Key, low = 0, high = 1): tf.Tensor {
  return tf.tensor(
    words(shape, key, (word) => low + (high - low) * ((word >>> 8) / 2 ** 24)),
    shape,
  );
}

/** Zeros and ones, float32; one with `probability`. */
export function randomBernoulli(shape: number[], key: Key, probability: number): tf.Tensor {
  return tf.tensor(
    words(shape, key, (word) => (word >>> 2 < probability * 2 ** 30 ? 1 : 0)),
    shape,
  );
}

/** Inverted dropout: `x * keep / (1 - rate)` with keep ~ Bernoulli(1 - rate). Rate 0 returns x itself, unchanged. */
export function dropout(x: tf.Tensor, rate: number, key: Key): tf.Tensor {
  if (rate === 0) return tf.clone(x);
  return tf.tidy(() => tf.mul(x, tf.mul(randomBernoulli(x.shape, key, 1 - rate), 1 / (1 - rate))));
}

function words(shape: number[], key: Key, f: (word: number, next: number) => number): Float32Array {
  const values = new Float32Array(tf.util.sizeFromShape(shape));
  for (let i = 0; i < values.length; i++) {
    const [first, second] = threefry(key, i, 0);
    values[i] = f(first, second);
  }
  return values;
}
