import * as tf from '@tensorflow/tfjs-core';
import { detach, type ParameterInfo } from '@hypetune/core';

/** The exact derivative, or the released code's, `m` in place of `m / (1 - p)`. */
export const gradients = ['exact', 'reference'] as const;

/**
 * `((1 - m) u + m w - p u) / (1 - p)`: pre-trained u where the mask m is 0, `u + (w - u) / (1 - p)` where it is 1, so that
 * the mean over masks is w. Weight and reference `[in, out]`; mask `[in, 1]` of zeros and ones, one with probability 1 - p.
 */
export function mixture(
  weight: tf.Tensor,
  reference: tf.Tensor,
  mask: tf.Tensor,
  p: number,
  gradient: (typeof gradients)[number],
): tf.Tensor {
  const factor = p === 1 ? 0 : 1 / (1 - p);
  if (gradient === 'exact') return tf.add(reference, tf.mul(tf.sub(weight, reference), tf.mul(mask, factor)));
  const value = mixture(detach(weight), reference, mask, p, 'exact');
  return tf.add(value, tf.mul(tf.sub(weight, detach(weight)), mask));
}

/** Whether Mixout acts on it: a kernel of two dimensions, neither a token table nor a vector. */
export function isMixed({ role, shape }: ParameterInfo): boolean {
  return role === 'kernel' && shape.length === 2;
}
