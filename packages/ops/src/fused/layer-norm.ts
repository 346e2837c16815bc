import * as tf from '@tensorflow/tfjs-core';

/** Layer normalization (Ba et al. 2016) over the last axis: (x - mean) / sqrt(variance + epsilon) * scale + offset. */
export function layerNorm(x: tf.Tensor, scale: tf.Tensor1D, offset: tf.Tensor1D, epsilon: number): tf.Tensor {
  return tf.tidy(() => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), scale), offset);
  });
}
