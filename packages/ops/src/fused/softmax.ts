import * as tf from '@tensorflow/tfjs-core';
import { compositionsForced, withGradient } from '../kernels.js';

// tfjs's own softmax and log softmax (as its exp, tanh and sigmoid) keep their output for the gradient, and the second derivative
// through it is lost without a word. Inside `composed` these keep their input instead; elsewhere that costs for nothing.

/** Softmax over the last axis, with all derivatives inside `composed`. */
export function softmax(x: tf.Tensor): tf.Tensor {
  if (!compositionsForced()) return tf.softmax(x);
  return withGradient(
    [x],
    [x],
    () => tf.softmax(x),
    (gradient, [x]) => {
      const p = softmax(x!);
      return [tf.mul(p, tf.sub(gradient, tf.sum(tf.mul(gradient, p), -1, true)))];
    },
  );
}

/** Logarithm of the softmax over the last axis, with all derivatives inside `composed`. */
export function logSoftmax(x: tf.Tensor): tf.Tensor {
  if (!compositionsForced()) return tf.logSoftmax(x);
  return withGradient(
    [x],
    [x],
    () => tf.logSoftmax(x),
    (gradient, [x]) => [tf.sub(gradient, tf.mul(softmax(x!), tf.sum(gradient, -1, true)))],
  );
}
