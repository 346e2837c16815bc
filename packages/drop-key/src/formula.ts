import * as tf from '@tensorflow/tfjs-core';
import { detach } from '@hypetune/core';

/** Added to a dropped key's score. */
const DROPPED = -1e9;
/** Scores that lie so far below a row's best are hidden keys, whatever large number hides them. */
const HIDDEN = 5e3;

/** Drop ratio of a layer, 0 nearest to the input, of `count`: `rate`, or falling on a line, `rate (1 - index / count)`. */
export function layerRate(
  rate: number,
  schedule: 'decreasing' | 'constant',
  index: number,
  count: number,
): number {
  return schedule === 'constant' ? rate : rate * (1 - index / count);
}

/**
 * Attention scores `[rows, heads, queries, keys]` with the keys hidden where `dropped` (of that shape, zeros and ones) is 1.
 * A query that would lose every key it may see loses none; keys that were hidden before stay so.
 */
export function dropKeys(scores: tf.Tensor, dropped: tf.Tensor): tf.Tensor {
  const hide = tf.mul(dropped, DROPPED);
  const before = detach(scores);
  const left = tf.max(tf.add(before, hide), -1, true);
  const sees = tf.cast(tf.greater(left, tf.sub(tf.max(before, -1, true), HIDDEN)), 'float32');
  return tf.add(scores, detach(tf.mul(hide, sees)));
}
