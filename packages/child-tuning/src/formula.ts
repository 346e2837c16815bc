import * as tf from '@tensorflow/tfjs-core';

/** `g * mask * factor`, mask of zeros and ones in g's shape. */
export function thinned(gradient: tf.Tensor, mask: tf.Tensor, factor: number): tf.Tensor {
  const kept = tf.mul(gradient, mask);
  return factor === 1 ? kept : tf.mul(kept, factor);
}

/** A batch's part in the Fisher information: the squared gradient, its norm first cut to `limit` (0: any). */
export function squaredGradient(gradient: tf.Tensor, limit: number): tf.Tensor {
  if (limit === 0) return tf.square(gradient);
  const norm = tf.sqrt(tf.sum(tf.square(gradient)));
  return tf.square(tf.mul(gradient, tf.minimum(tf.div(limit, tf.add(norm, 1e-6)), 1)));
}

/** The value below which `share` (0 to 1) of all entries lie, linear between neighbours as in numpy's percentile. */
export function quantile(parts: readonly Float32Array[], share: number): number {
  const sorted = new Float32Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    sorted.set(part, offset);
    offset += part.length;
  }
  sorted.sort();
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)]!;
  return below + (sorted[Math.ceil(place)]! - below) * (place - Math.floor(place));
}

/** 1 where the Fisher information reaches the threshold; ties count, so many zeros can select everything. */
export function fisherMask(fisher: tf.Tensor, threshold: number): tf.Tensor {
  return tf.cast(tf.greaterEqual(fisher, threshold), 'float32');
}
