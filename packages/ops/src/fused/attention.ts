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
  const scale = Math.sqrt(heads / query.shape[2]!);
  const products = tf.matMul(tf.mul(splitHeads(query, heads), scale), splitHeads(key, heads), false, true);
  return contextOf(maskBias ? tf.add(products, maskBias) : products, value, mask);
}

/**
 * The half of attention behind the scores, for attention whose scores have terms of their own: softmax(scores) v for each
 * head. scores [B, heads, Q, K] with large negative numbers at hidden keys, value [B, K, H] -> [B, Q, H].
 */
export function attentionByScores(
  scores: tf.Tensor,
  value: tf.Tensor,
  probabilityDropout?: ProbabilityDropout,
): tf.Tensor {
  return tf.tidy(() => {
    const mask = probabilityDropout?.rate
      ? dropoutMask(scores.shape, probabilityDropout.rate, probabilityDropout.key)
      : undefined;
    return contextOf(scores, value, mask);
  });
}

/** The features of each head by themselves: [B, T, H] -> [B, heads, T, H / heads]. */
export function splitHeads(x: tf.Tensor, heads: number): tf.Tensor {
  const [batch, length, hidden] = x.shape as [number, number, number];
  return tf.transpose(tf.reshape(x, [batch, length, heads, hidden / heads]), [0, 2, 1, 3]);
}

function contextOf(scores: tf.Tensor, value: tf.Tensor, mask: tf.Tensor | undefined): tf.Tensor {
  const [batch, heads, queries] = scores.shape as [number, number, number];
  const probabilities = softmax(scores);
  const context = tf.matMul(mask ? tf.mul(probabilities, mask) : probabilities, splitHeads(value, heads));
  return tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [batch, queries, value.shape[2]!]);
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
