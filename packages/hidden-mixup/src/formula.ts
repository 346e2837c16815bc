import * as tf from '@tensorflow/tfjs-core';

/** Which row each row is mixed with, `[rows]` int32, and how much of itself it keeps, `[rows]`. */
export interface Mix {
  readonly partners: tf.Tensor1D;
  readonly shares: tf.Tensor1D;
}

/** A mix that keeps `share` (at least a half) of every row; a row whose partner has weight 0 (padding) stays itself. */
export function makeMix(order: readonly number[], share: number, weights: tf.Tensor1D): Mix {
  const partners = tf.tensor1d([...order], 'int32');
  const counts = tf.cast(tf.greater(tf.gather(weights, partners), 0), 'float32');
  return { partners, shares: tf.sub(1, tf.mul(counts, 1 - Math.max(share, 1 - share))) };
}

/** `share * x + (1 - share) * x[partner]`, along the first axis of `[rows, ...]`. */
export function blend<T extends tf.Tensor>(x: T, { partners, shares }: Mix): T {
  const share = tf.reshape(shares, [-1, ...new Array<number>(x.rank - 1).fill(1)]);
  return tf.add(tf.mul(share, x), tf.mul(tf.sub(1, share), tf.gather(x, partners)));
}
