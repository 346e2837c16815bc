import * as tf from '@tensorflow/tfjs-core';
import { sumOfSquares } from '@hypetune/ops';

/** `strength / 2 * sum((w - w0)^2)`, or `strength / 2 * sum(w^2)` without a reference w0 of w's shape. */
export function penalty(weight: tf.Tensor, reference: tf.Tensor | undefined, strength: number): tf.Scalar {
  return tf.mul(sumOfSquares(reference ? tf.sub(weight, reference) : weight), strength / 2);
}

/** `update - pull (w - w0)`, or `update - pull w` without a reference; pull is learning rate times strength. */
export function pulledUpdate(
  update: tf.Tensor,
  weight: tf.Tensor,
  reference: tf.Tensor | undefined,
  pull: number,
): tf.Tensor {
  return tf.sub(update, tf.mul(reference ? tf.sub(weight, reference) : weight, pull));
}
