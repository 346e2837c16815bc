import * as tf from '@tensorflow/tfjs-core';

/** Numbers of one AdamW step. Those that change from step to step may be scalars, so that no engine recompiles. */
export interface AdamwOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Step length, the bias corrections included. */
  readonly stepSize: tf.Scalar | number;
  /** Factor of sqrt(secondMoment) in the denominator: 1, or 1 / sqrt(1 - beta2^t). Default 1. */
  readonly secondScale?: tf.Scalar | number;
  /** Decoupled weight decay of this step: learning rate times weight decay. Default 0. */
  readonly decay?: tf.Scalar | number;
}

/** What to add to the parameter, and the moments for the next step. */
export interface AdamwResult {
  readonly update: tf.Tensor;
  readonly firstMoment: tf.Tensor;
  readonly secondMoment: tf.Tensor;
}

/**
 * AdamW (Loshchilov, Hutter 2019), one parameter, as new tensors:
 * m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
 * update = -stepSize m / (secondScale sqrt(v) + epsilon) - decay parameter.
 */
export function adamwUpdate(
  gradient: tf.Tensor,
  firstMoment: tf.Tensor,
  secondMoment: tf.Tensor,
  parameter: tf.Tensor,
  options: AdamwOptions,
): AdamwResult {
  return tf.tidy(() => {
    const { beta1, beta2, epsilon, stepSize, secondScale = 1, decay = 0 } = options;
    const m = tf.add(tf.mul(firstMoment, beta1), tf.mul(gradient, 1 - beta1));
    const v = tf.add(tf.mul(secondMoment, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const scaled = secondScale === 1 ? tf.sqrt(v) : tf.mul(tf.sqrt(v), secondScale);
    const step = tf.mul(tf.div(m, tf.add(scaled, epsilon)), tf.neg(stepSize));
    const update = decay === 0 ? step : tf.sub(step, tf.mul(parameter, decay));
    return { update, firstMoment: m, secondMoment: v };
  });
}
