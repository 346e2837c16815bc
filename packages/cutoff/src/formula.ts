import * as tf from '@tensorflow/tfjs-core';

/** What is erased: single tokens, one run of tokens, or features of every token. */
export const kinds = ['token', 'span', 'feature'] as const;
export type Kind = (typeof kinds)[number];

/** Where tokens may be cut in rows padded at either end. */
export interface TokenRange {
  /** Where each row's tokens begin, `[rows, 1]`. */
  readonly first: tf.Tensor;
  /** Real tokens of each row, `[rows, 1]`. */
  readonly lengths: tf.Tensor;
  /** Positions of the batch, padding included. */
  readonly positions: number;
  /** Share of a row's tokens that is cut, rounded down. */
  readonly ratio: number;
  /** Tokens spared at each end of a row: 1 for `[CLS]` and the last `[SEP]`, or 0. */
  readonly spared: number;
}

/** Added before rounding down, so that 0.3 of 10 are 3 in float32 too. */
const ROUNDING = 5e-4;

/** How many of `size` places a share is. */
export function cutCount(size: number, ratio: number): number {
  return Math.floor(size * ratio + ROUNDING);
}

/** Where the tokens of each row begin and how many there are, both `[rows, 1]`; `mask` `[rows, positions]` is 1 at a token. */
export function tokenSpan(mask: tf.Tensor): Pick<TokenRange, 'first' | 'lengths'> {
  const positions = mask.shape[1]!;
  const place = tf.reshape(tf.range(0, positions, 1), [1, positions]);
  const padded = tf.mul(tf.sub(1, mask), positions);
  return { first: tf.min(tf.add(place, padded), 1, true), lengths: tf.sum(mask, 1, true) };
}

/**
 * Which tokens stay, `[rows, positions]` of zeros and ones. Each of `draws` `[rows, most]` in [0, 1) names one to cut, as many
 * of them as the row's share says; two may name the same.
 */
export function keptTokens(draws: tf.Tensor, range: TokenRange): tf.Tensor {
  const { open, cut } = openTokens(range);
  const most = draws.shape[1]!;
  const place = tf.minimum(tf.floor(tf.mul(draws, open)), tf.maximum(tf.sub(open, 1), 0));
  const used = tf.less(tf.reshape(tf.range(0, most, 1), [1, most]), cut);
  return tf.sub(
    1,
    named(tf.where(used, tf.add(place, offset(range)), tf.fill(draws.shape, -1)), range.positions),
  );
}

/** Which tokens stay where one run is cut, `[rows, positions]`; it starts where `draw` `[rows, 1]` in [0, 1) says. */
export function keptSpan(draw: tf.Tensor, range: TokenRange): tf.Tensor {
  const { open, cut } = openTokens(range);
  const starts = tf.add(tf.sub(open, cut), 1);
  const start = tf.add(tf.minimum(tf.floor(tf.mul(draw, starts)), tf.sub(starts, 1)), offset(range));
  const position = tf.reshape(tf.range(0, range.positions, 1), [1, range.positions]);
  const inside = tf.logicalAnd(tf.greaterEqual(position, start), tf.less(position, tf.add(start, cut)));
  return tf.sub(1, tf.cast(inside, 'float32'));
}

/** Which features stay, `[rows, width]` of zeros and ones. Each of `draws` `[rows, n]` in [0, 1) names one to cut; two may name the same. */
export function keptFeatures(draws: tf.Tensor, width: number): tf.Tensor {
  return tf.sub(1, named(tf.floor(tf.mul(draws, width)), width));
}

/** Tokens of each row that may be cut, and those that are, both `[rows, 1]`. */
function openTokens({ lengths, ratio, spared }: TokenRange): { open: tf.Tensor; cut: tf.Tensor } {
  const open = tf.maximum(tf.sub(lengths, 2 * spared), 0);
  const share = tf.floor(tf.add(tf.mul(lengths, ratio), ROUNDING));
  return { open, cut: tf.minimum(share, open) };
}

/** Where the tokens that may be cut begin, `[rows, 1]`. */
const offset = ({ first, spared }: TokenRange): tf.Tensor => tf.add(first, spared);

/** 1 for each of `size` places that a row of `places` `[rows, n]` names, else 0. */
function named(places: tf.Tensor, size: number): tf.Tensor {
  const [rows, n] = places.shape as [number, number];
  const all = tf.reshape(tf.range(0, size, 1), [1, 1, size]);
  return tf.max(tf.cast(tf.equal(tf.reshape(places, [rows, n, 1]), all), 'float32'), 1);
}

/**
 * How far two distributions given as `[..., choices]` logits lie apart, over the last axis: with p, q the softmaxes and m their
 * mean, `js` is `(KL(p||m) + KL(q||m)) / 2`, `reference` `(KL(m||p) + KL(m||q)) / 2`.
 */
export function disagreement(
  first: tf.Tensor,
  second: tf.Tensor,
  divergence: 'js' | 'reference' = 'js',
): tf.Tensor {
  const [p, q] = [tf.logSoftmax(first), tf.logSoftmax(second)];
  const mean = tf.sub(tf.logSumExp(tf.stack([p, q]), 0), Math.LN2);
  const cross = (weight: tf.Tensor, log: tf.Tensor, other: tf.Tensor): tf.Tensor =>
    tf.sum(tf.mul(tf.exp(weight), tf.sub(log, other)), -1);
  const [toFirst, toSecond] =
    divergence === 'js'
      ? [cross(p, p, mean), cross(q, q, mean)]
      : [cross(mean, mean, p), cross(mean, mean, q)];
  return tf.mul(tf.add(toFirst, toSecond), 0.5);
}
