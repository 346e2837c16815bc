import * as tf from '@tensorflow/tfjs-core';
import { randomNormal, type Key } from '@hypetune/ops';

/** Noise of deviation `scale` added to a hidden state. */
export function addNoise(hidden: tf.Tensor, scale: number, key: Key): tf.Tensor {
  return tf.add(hidden, randomNormal(hidden.shape, key, scale));
}

/**
 * How far noise drove a hidden state, by row: `||h' - h||^2` over the width, averaged over the row's positions, or over its tokens
 * where `mask` `[rows, length]` is 1; `[rows, length, width]` or `[rows, width]` -> `[rows]`.
 */
export function drift(noisy: tf.Tensor, clean: tf.Tensor, mask?: tf.Tensor2D): tf.Tensor1D {
  const squares = tf.sum(tf.squaredDifference(noisy, clean), -1);
  if (mask && String(mask.shape) === String(squares.shape))
    return tf.div(tf.sum(tf.mul(squares, mask), 1), tf.maximum(tf.sum(mask, 1), 1));
  return tf.mean(tf.reshape(squares, [clean.shape[0]!, -1]), 1);
}
