import * as tf from '@tensorflow/tfjs-core';
import { detach } from '@hypetune/core';

/**
 * `((1 - m) u + m w - p u) / (1 - p)`: pre-trained u where the mask m is 0, `u + (w - u) / (1 - p)` where it is 1, so that
 * the mean over masks is w. Weight and reference `[in, out]`; mask `[in, 1]` of zeros and ones, one with probability 1 - p.
 * `reference` has the released code's gradient, `m` in place of `m / (1 - p)`.
 */
export function mixout(
  weight: tf.Tensor,
  reference: tf.Tensor,
  mask: tf.Tensor,
  p: number,
  gradient: 'exact' | 'reference' = 'exact',
): tf.Tensor {
  const factor = p === 1 ? 0 : 1 / (1 - p);
  if (gradient === 'exact') return tf.add(reference, tf.mul(tf.sub(weight, reference), tf.mul(mask, factor)));
  const value = mixout(detach(weight), reference, mask, p);
  return tf.add(value, tf.mul(tf.sub(weight, detach(weight)), mask));
}
