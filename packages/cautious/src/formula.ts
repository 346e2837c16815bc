import * as tf from '@tensorflow/tfjs-core';

/** `u m / max(mean(m), floor)`, m = 1 where u goes down the gradient (`u g < 0`), else 0; both of one shape. */
export function cautiousUpdate(update: tf.Tensor, gradient: tf.Tensor, floor: number): tf.Tensor {
  const mask = tf.cast(tf.less(tf.mul(update, gradient), 0), 'float32');
  return tf.mul(update, tf.div(mask, tf.maximum(tf.mean(mask), floor)));
}
