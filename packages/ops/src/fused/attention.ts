import * as tf from '@tensorflow/tfjs-core';
import { runKernel, useKernels, withGradient } from '../kernels.js';
import { dropoutMask } from '../random/draw.js';
import type { Key } from '../random/threefry.js';
import { softmax } from './softmax.js';

/** Dropout on the attention probabilities; rate 0 is none. */
export interface ProbabilityDropout {
  readonly rate: number;
  readonly key: Key;
}

/**
 * Multi-head scaled dot-product attention (Vaswani et al. 2017): softmax(q k^T / sqrt(H / heads) + maskBias) v for each head.
 * query [B, Q, H], key and value [B, K, H] -> [B, Q, H]. maskBias broadcasts to [B, heads, Q, K]: with large negative numbers
 * [B, 1, 1, K] hides keys, [B, 1, Q, K] hides them from some queries. One that all heads share may be taken for a constant; one
 * with heads (a relative position's) has a gradient.
 */
export function attention(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  heads: number,
  maskBias?: tf.Tensor,
  probabilityDropout?: ProbabilityDropout,
): tf.Tensor {
  const [batch, queries, hidden] = query.shape as [number, number, number];
  if (query.rank !== 3 || hidden % heads !== 0) {
    throw new Error(
      `attention: query must be [batch, length, hidden] with hidden a multiple of ${heads} heads, got [${query.shape.join()}].`,
    );
  }
  return tf.tidy(() => {
    const mask = probabilityDropout?.rate
      ? dropoutMask([batch, heads, queries, key.shape[1]!], probabilityDropout.rate, probabilityDropout.key)
      : undefined;
    const constantBias = !maskBias || (maskBias.rank === 4 && maskBias.shape[1] === 1);
    return constantBias && useKernels('Attention', 'AttentionGradient')
      ? attentionByKernel(query, key, value, heads, maskBias, mask)
      : attentionByParts(query, key, value, heads, maskBias, mask);
  });
}

function attentionByParts(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  heads: number,
  maskBias: tf.Tensor | undefined,
  mask: tf.Tensor | undefined,
): tf.Tensor {
  const [batch, , hidden] = query.shape as [number, number, number];
  const size = hidden / heads;
  const split = (x: tf.Tensor): tf.Tensor =>
    tf.transpose(tf.reshape(x, [batch, x.shape[1]!, heads, size]), [0, 2, 1, 3]); // [B, heads, T, size]
  const products = tf.matMul(tf.mul(split(query), 1 / Math.sqrt(size)), split(key), false, true);
  const probabilities = softmax(maskBias ? tf.add(products, maskBias) : products); // [B, heads, Q, K]
  const context = tf.matMul(mask ? tf.mul(probabilities, mask) : probabilities, split(value));
  return tf.reshape(tf.transpose(context, [0, 2, 1, 3]), query.shape);
}

function attentionByKernel(
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  heads: number,
  maskBias: tf.Tensor | undefined,
  mask: tf.Tensor | undefined,
): tf.Tensor {
  const inputs = { query, key, value, maskBias, mask };
  const names = Object.entries(inputs).flatMap(([name, tensor]) => (tensor ? [name] : []));
  return withGradient(
    [query, key, value],
    Object.values(inputs).filter((tensor) => tensor !== undefined),
    () => runKernel('Attention', inputs, { heads })[0]!,
    (gradient, saved) => {
      const kept = Object.fromEntries(names.map((name, i) => [name, saved[i]!]));
      return runKernel('AttentionGradient', { gradient, ...kept }, { heads });
    },
  );
}
