import * as tf from '@tensorflow/tfjs-core';

export const annealings = ['sigmoid', 'linear', 'constant'] as const;

export interface Annealing {
  readonly annealing: (typeof annealings)[number];
  readonly weight: number;
  readonly rate: number;
  readonly midpoint: number;
}

/** lambda(t): `w sigmoid(k (t - t0))`, `w min(1, t / t0)`, or `w`, of weight w, rate k and midpoint t0; steps count from 1. */
export function taskShare(step: number, { annealing, weight, rate, midpoint }: Annealing): number {
  if (annealing === 'sigmoid') return weight / (1 + Math.exp(-rate * (step - midpoint)));
  return annealing === 'linear' && step < midpoint ? (weight * step) / midpoint : weight;
}

/**
 * What to add to weights w given Adam's update u: `lambda u - pull (w + lambda u - w0)`, w0 the pre-trained weights, pull the
 * product of learning rate, gamma and `w - lambda`. Weight decay is not in it.
 */
export function recAdamUpdate(
  update: tf.Tensor,
  weight: tf.Tensor,
  reference: tf.Tensor,
  share: number,
  pull: number,
): tf.Tensor {
  const learned = tf.mul(update, share);
  return tf.sub(learned, tf.mul(tf.sub(tf.add(weight, learned), reference), pull));
}
