import * as tf from '@tensorflow/tfjs-core';
import { globalNorm } from '@hypetune/core';

/**
 * The update of one weight w under SPD, from the optimizer's `update`, the gradient g and the start w0 (undefined: zero).
 * With `w' = w + update`, where `-<g, w - w0> < 0` the result leads to `w' - weight r (w' - w0)`,
 * `r = max(0, (||w' - w0|| - ||w - w0||) / ||w' - w0||)`; elsewhere it is `update`. All of one shape.
 */
export function projectedUpdate(
  update: tf.Tensor,
  gradient: tf.Tensor,
  value: tf.Tensor,
  start: tf.Tensor | undefined,
  weight: number,
): tf.Tensor {
  const before = start ? tf.sub(value, start) : value;
  const after = tf.add(before, update);
  const inconsistent = tf.cast(tf.greater(tf.sum(tf.mul(gradient, before)), 0), 'float32');
  const pull = tf.mul(tf.mul(inconsistent, deviationRatio(before, after)), weight);
  return tf.sub(update, tf.mul(pull, after));
}

/** `max(0, (||after|| - ||before||) / ||after||)`, 0 where after is 0: how much of a deviation is new. */
export function deviationRatio(before: tf.Tensor, after: tf.Tensor): tf.Scalar {
  const now = globalNorm([after]);
  const growth = tf.sub(now, globalNorm([before]));
  return tf.relu(tf.div(growth, tf.maximum(now, 1e-30)));
}
