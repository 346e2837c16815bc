import type * as tf from '@tensorflow/tfjs-core';

/** What looks into attention: each is given a value and returns it, changed or not. */
export interface AttentionSeams {
  /** Scaled and masked scores `[B, heads, Q, K]`, before the softmax. */
  readonly scores?: (scores: tf.Tensor) => tf.Tensor;
  /** What the heads hand on, side by side, `[B, Q, H]`. */
  readonly context?: (context: tf.Tensor) => tf.Tensor;
}

let current: AttentionSeams | undefined;

/** Runs `f`; every attention in it passes through `seams`. They nest; the outer ones are back afterwards, also if `f` throws. */
export function withAttentionSeams<T>(seams: AttentionSeams, f: () => T): T {
  const outer = current;
  current = seams;
  try {
    return f();
  } finally {
    current = outer;
  }
}

/** The innermost seams, or undefined outside of any `withAttentionSeams`. */
export function attentionSeams(): AttentionSeams | undefined {
  return current;
}
