import * as tf from '@tensorflow/tfjs-core';
import { runKernel, useKernels, withGradient } from '../kernels.js';

/** GELU (Hendrycks, Gimpel 2016) in its exact form: x * (1 + erf(x / sqrt(2))) / 2. */
export function gelu(x: tf.Tensor): tf.Tensor {
  if (useKernels('Gelu', 'GeluGradient')) {
    return withGradient(
      [x],
      [x],
      () => runKernel('Gelu', { x })[0]!,
      (gradient, [x]) => runKernel('GeluGradient', { gradient, x }),
    );
  }
  return tf.tidy(() => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)));
}
