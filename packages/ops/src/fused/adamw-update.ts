import * as tf from '@tensorflow/tfjs-core';
import { runKernel, useKernels } from '../kernels.js';

/** Numbers of one AdamW step. stepSize, secondScale and decay may change at each step without a recompilation. */
export interface AdamwOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Length of the step with the bias corrections in it. */
  readonly stepSize: tf.Scalar | number;
  /** Factor of sqrt(secondMoment) in the denominator. Default 1. */
  readonly secondScale?: tf.Scalar | number;
  /** Decoupled weight decay of this step. Default 0. */
  readonly decay?: tf.Scalar | number;
}

/** What to add to the parameter, and the moments for the next step. */
export interface AdamwResult {
  readonly update: tf.Tensor;
  readonly firstMoment: tf.Tensor;
  readonly secondMoment: tf.Tensor;
}

/**
 * AdamW (Loshchilov, Hutter 2019) of one parameter, all tensors of one shape, the old ones untouched:
 * m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
 * update = -stepSize m / (secondScale sqrt(v) + epsilon) - decay parameter.
 *
 * With learning rate a, weight decay w, c1 = 1 - beta1^t and c2 = 1 - beta2^t (both 1 without bias correction), this covers
 * PyTorch's: stepSize a / c1, secondScale 1 / sqrt(c2), decay a w; and the older Hugging Face one, whose epsilon stands
 * beside the uncorrected sqrt(v) and whose decay follows the step: stepSize (1 - a w) a sqrt(c2) / c1, secondScale 1, decay a w.
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
    if (useKernels('AdamwUpdate')) {
      const scalar = (x: tf.Scalar | number): tf.Scalar => (typeof x === 'number' ? tf.scalar(x) : x);
      const scalars = { stepSize: scalar(stepSize), secondScale: scalar(secondScale), decay: scalar(decay) };
      const inputs = { gradient, firstMoment, secondMoment, parameter, ...scalars };
      const [update, m, v] = runKernel('AdamwUpdate', inputs, { beta1, beta2, epsilon });
      return { update: update!, firstMoment: m!, secondMoment: v! };
    }
    const m = tf.add(tf.mul(firstMoment, beta1), tf.mul(gradient, 1 - beta1));
    const v = tf.add(tf.mul(secondMoment, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const root = secondScale === 1 ? tf.sqrt(v) : tf.mul(tf.sqrt(v), secondScale);
    const step = tf.mul(tf.div(m, tf.add(root, epsilon)), stepSize);
    const update = decay === 0 ? tf.neg(step) : tf.neg(tf.add(step, tf.mul(parameter, decay)));
    return { update, firstMoment: m, secondMoment: v };
  });
}
