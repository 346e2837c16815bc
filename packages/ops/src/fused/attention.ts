import * as tf from '@tensorflow/tfjs-core';
import { dropout } from '../random/draw.js';
import type { Key } from '../random/threefry.js';

/** Dropout on the attention probabilities; rate 0 is none. */
export interface ProbabilityDropout {
  readonly rate: number;
  readonly key: Key;
}

/**
 * Multi-head scaled dot-product attention (Vaswani et al. 2017): softmax(q k^T / sqrt(H / heads) + maskBias) v for each
 * head. query [B, Q, H], key and value [B, K, H] -> [B, Q, H]; maskBias broadcasts to [B, heads, Q, K], as [B, 1, 1, K].
 */
export function attention(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  heads: number,
  maskBias?: tf.Tensor,
  probabilityDropout?: ProbabilityDropout,
): tf.Tensor {
  return tf.tidy(() => {
    const [batch, , hidden] = query.shape as [number, number, number];
    const size = hidden / heads;
    const split = (x: tf.Tensor): tf.Tensor =>
      tf.transpose(tf.reshape(x, [batch, x.shape[1]!, heads, size]), [0, 2, 1, 3]);
    const products = tf.matMul(tf.mul(split(query), 1 / Math.sqrt(size)), split(key), false, true);
    const probabilities = tf.softmax(maskBias ? tf.add(products, maskBias) : products);
    const kept = probabilityDropout
      ? dropout(probabilities, probabilityDropout.rate, probabilityDropout.key)
      : probabilities;
    return tf.reshape(tf.transpose(tf.matMul(kept, split(value)), [0, 2, 1, 3]), query.shape);
  });
}
