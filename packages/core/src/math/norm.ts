import * as tf from '@tensorflow/tfjs-core';

/** Sum of the squares of all entries. */
export function sumOfSquares(x: tf.Tensor): tf.Scalar {
  const flat = tf.reshape(x, [-1]) as tf.Tensor1D;
  return tf.sum(tf.square(flat));
}

/** Euclidean norm over all entries of all tensors. */
export function globalNorm(tensors: Iterable<tf.Tensor>): tf.Scalar {
  const squares = Array.from(tensors, sumOfSquares);
  return tf.sqrt(squares.length > 0 ? tf.addN(squares) : tf.scalar(0));
}
