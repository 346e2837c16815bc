import * as tf from '@tensorflow/tfjs-core';
import { randomBernoulli, type Key } from '@hypetune/ops';

/** What leaves a layer under LayerDrop: `after` with probability `1 - rate`, else what entered it; one draw for the batch, nothing rescaled. */
export function skipOrKeep(before: tf.Tensor, after: tf.Tensor, rate: number, key: Key): tf.Tensor {
  const keep = randomBernoulli(new Array<number>(after.rank).fill(1), key, 1 - rate);
  return choose(keep, after, before);
}

/** `keep * after + (1 - keep) * before`, exact for keep 0 or 1; keep broadcasts. */
export function choose(keep: tf.Tensor, after: tf.Tensor, before: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(keep, after), tf.mul(tf.sub(1, keep), before));
}
