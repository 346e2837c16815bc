import * as tf from '@tensorflow/tfjs-core';

/** Decay at an update, counted from 1: `decay`, with warm-up `min(decay, (1 + t) / (10 + t))`. */
export function decayAt(step: number, decay: number, warmup: boolean): number {
  return warmup ? Math.min(decay, (1 + step) / (10 + step)) : decay;
}

/** `average + share (value - average)`, share = 1 - decay; any shape. */
export function movedAverage(average: tf.Tensor, value: tf.Tensor, share: tf.Scalar): tf.Tensor {
  return tf.add(average, tf.mul(share, tf.sub(value, average)));
}
