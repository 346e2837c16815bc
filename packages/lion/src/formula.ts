import * as tf from '@tensorflow/tfjs-core';

/** A direction to step against, entries -1, 0 or 1, and the momentum for the next step. */
export interface LionResult {
  readonly direction: tf.Tensor;
  readonly momentum: tf.Tensor;
}

/** `direction = sign(beta1 m + (1 - beta1) g); m <- beta2 m + (1 - beta2) g`; both of one shape, the old m untouched. */
export function lionStep(gradient: tf.Tensor, momentum: tf.Tensor, beta1: number, beta2: number): LionResult {
  const mixed = (beta: number): tf.Tensor => tf.add(tf.mul(momentum, beta), tf.mul(gradient, 1 - beta));
  return { direction: tf.sign(mixed(beta1)), momentum: mixed(beta2) };
}
