import { sumOfSquares } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';

/** Euclidean norm over all entries of all tensors. */
export function globalNorm(tensors: Iterable<tf.Tensor>): tf.Scalar {
  const squares = Array.from(tensors, sumOfSquares);
  return tf.sqrt(squares.length > 0 ? tf.addN(squares) : tf.scalar(0));
}
