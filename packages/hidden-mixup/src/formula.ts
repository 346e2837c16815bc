import * as tf from '@tensorflow/tfjs-core';

/** `share * x + (1 - share) * x[partner]`, along the first axis of `[rows, ...]`; partners `[rows]` int32, share one number. */
export function blend<T extends tf.Tensor>(x: T, partners: tf.Tensor1D, share: tf.Scalar): T {
  return tf.add(tf.mul(x, share), tf.mul(tf.gather(x, partners), tf.sub(1, share)));
}
