import * as tf from '@tensorflow/tfjs-core';
import { detach, divergence, gradientAt, outputDistance, squaredDistance, type Task } from '@hypetune/core';

/** `paper`: Jiang et al., Algorithm 1, without its Bregman term. `reference`: what the released code computes. */
export const forms = ['paper', 'reference'] as const;
export type Form = (typeof forms)[number];

/** K, eta, epsilon and the kind of step. */
export interface Ascent {
  readonly steps: number;
  readonly rate: number;
  readonly radius: number;
  readonly form: Form;
}

/** Climbs `height` from `start` for K steps: the perturbation, of the shape of `start`. */
export function worst(
  height: (delta: tf.Tensor) => tf.Scalar,
  start: tf.Tensor,
  { steps, rate, radius, form }: Ascent,
): tf.Tensor {
  let delta = start;
  for (let k = 0; k < steps; k++) {
    const gradient = gradientAt(height, delta);
    delta = form === 'paper' ? ascend(delta, gradient, rate, radius) : ascendToUnit(delta, gradient, rate);
  }
  return delta;
}

/** What the ascent climbs, by row, from the perturbed and the clean logits. */
export function heights(form: Form, task: Task, perturbed: tf.Tensor2D, clean: tf.Tensor2D): tf.Tensor1D {
  if (form === 'paper' || task === 'regression') return outputDistance(task, perturbed, clean);
  return stableDivergence(perturbed, clean);
}

/** What the loss adds, by row. */
export function distances(form: Form, task: Task, perturbed: tf.Tensor2D, clean: tf.Tensor2D): tf.Tensor1D {
  if (task === 'regression') return squaredDistance(perturbed, clean);
  return form === 'paper' ? outputDistance(task, perturbed, clean) : oneSidedDivergence(perturbed, clean);
}

/**
 * One step up inside a box: `clip(d + rate * g / max|g|, -radius, radius)`, the maximum over each row of the batch
 * (Jiang et al., Algorithm 1).
 */
export function ascend(delta: tf.Tensor, gradient: tf.Tensor, rate: number, radius: number): tf.Tensor {
  const axes = gradient.shape.map((_, axis) => axis).slice(1);
  const peak = tf.maximum(tf.max(tf.abs(gradient), axes, true), 1e-30);
  return tf.clipByValue(tf.add(delta, tf.div(tf.mul(gradient, rate), peak)), -radius, radius);
}

/** The released code's step: `t / (max|t| + 1e-6)`, `t = d + rate * g`, the maximum over each token's vector: its largest entry becomes 1. */
export function ascendToUnit(delta: tf.Tensor, gradient: tf.Tensor, rate: number): tf.Tensor {
  const moved = tf.add(delta, tf.mul(gradient, rate));
  return tf.div(moved, tf.add(tf.max(tf.abs(moved), -1, true), 1e-6));
}

/**
 * What the released code climbs instead of the divergence: of each row `2 sum_c P (r(P) - r(Q))`,
 * `r(P) = -log(1 / (P + 1e-6) - 1 + 1e-6)` held constant.
 */
export function stableDivergence(p: tf.Tensor2D, q: tf.Tensor2D): tf.Tensor1D {
  const odds = (x: tf.Tensor2D): tf.Tensor =>
    detach(tf.neg(tf.log(tf.add(tf.sub(tf.div(1, tf.add(x, 1e-6)), 1), 1e-6))));
  const [P, Q] = [tf.softmax(p), tf.softmax(q)];
  return tf.mul(tf.sum(tf.mul(P, tf.sub(odds(P), odds(Q))), -1), 2);
}

/** `KL(P||Q) + KL(Q||P)` of each row, the first distribution of each half held constant, as the released code does. */
export function oneSidedDivergence(p: tf.Tensor2D, q: tf.Tensor2D): tf.Tensor1D {
  return tf.add(divergence(detach(p), q), divergence(detach(q), p));
}
