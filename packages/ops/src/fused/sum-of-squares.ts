import * as tf from '@tensorflow/tfjs-core';
import { runKernel, useKernels, withGradient } from '../kernels.js';

/** The sum of the squares of all entries; its gradient is 2 x. */
export function sumOfSquares(x: tf.Tensor): tf.Scalar {
  if (useKernels('SumOfSquares')) {
    return withGradient(
      [x],
      [x],
      () => runKernel('SumOfSquares', { x })[0]!,
      (gradient, [x]) => [tf.mul(x!, tf.mul(gradient, 2))],
    ) as tf.Scalar;
  }
  return tf.tidy(() => tf.sum(tf.square(tf.reshape(x, [-1]))));
}
