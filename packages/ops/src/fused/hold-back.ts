import * as tf from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from '../kernels.js';

/**
 * `x` and `gradient` as they are, but a compiler computes nothing of the new `x` before `gradient` is there, nor takes it for
 * what was computed of `x` before: for the second forward pass where activations are not kept. It has no gradient of its own.
 */
export function holdBack(x: tf.Tensor, gradient: tf.Tensor): [x: tf.Tensor, gradient: tf.Tensor] {
  if (hasKernel('HoldBack')) return runKernel('HoldBack', { x, gradient }) as [tf.Tensor, tf.Tensor];
  return [tf.clone(x), tf.clone(gradient)];
}
