import * as tf from '@tensorflow/tfjs-core';
import { runKernel, useKernels, withGradient } from '../kernels.js';

/** Layer normalization (Ba et al. 2016) over the last axis: (x - mean) / sqrt(variance + epsilon) * scale + offset. */
export function layerNorm(x: tf.Tensor, scale: tf.Tensor1D, offset: tf.Tensor1D, epsilon: number): tf.Tensor {
  if (useKernels('LayerNorm', 'LayerNormGradient')) {
    return withGradient(
      [x, scale, offset],
      [x, scale],
      () => runKernel('LayerNorm', { x, scale, offset }, { epsilon })[0]!,
      (gradient, [x, scale]) => runKernel('LayerNormGradient', { gradient, x, scale }, { epsilon }),
    );
  }
  return tf.tidy(() => {
    // Twice: the mean of a row of equal numbers is off by its rounding, which a small epsilon would make large.
    const nearly = tf.sub(x, tf.mean(x, -1, true));
    const centred = tf.sub(nearly, tf.mean(nearly, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), scale), offset);
  });
}
