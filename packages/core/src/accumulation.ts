import * as tf from '@tensorflow/tfjs-core';
import { SMALLEST_WEIGHT } from './gradient.js';
import type { ParameterInfo } from './parameters.js';
import type { Gradients } from './step.js';

/**
 * The gradient of an update as the mean of its microbatches', each weighted by what its rows weigh together: that of one large
 * batch. Held from one microbatch to the next, so that each may be a step of its own to an engine that compiles steps.
 */
export class Accumulation {
  readonly #sums = new Map<string, tf.Variable>();
  #weight: tf.Variable | undefined;

  /** Makes room for the gradients of these parameters; not inside a step, which would then be another one the first time. */
  prepare(parameters: readonly ParameterInfo[]): void {
    this.#weight ??= zeros([]);
    for (const { name, shape } of parameters) if (!this.#sums.has(name)) this.#sums.set(name, zeros(shape));
  }

  /** Adds `weight` times the gradients; `first` begins new sums. To be called inside a tidy. */
  add(gradients: Gradients, weight: tf.Scalar, first: boolean): void {
    // A factor, not an if: every microbatch is then the same step.
    const kept = tf.scalar(first ? 0 : 1);
    const add = (sum: tf.Variable, value: tf.Tensor): void => {
      sum.assign(tf.add(tf.mul(sum, kept), value));
    };
    for (const [name, gradient] of Object.entries(gradients))
      add(this.#sums.get(name)!, tf.mul(gradient, weight));
    add(this.#weight!, weight);
  }

  /** The weighted mean for these parameters. To be called inside a tidy. */
  gradients(parameters: readonly ParameterInfo[]): Gradients {
    const weight = tf.maximum(this.#weight!, SMALLEST_WEIGHT);
    return Object.fromEntries(parameters.map(({ name }) => [name, tf.div(this.#sums.get(name)!, weight)]));
  }

  dispose(): void {
    tf.dispose([...this.#sums.values(), ...(this.#weight ? [this.#weight] : [])]);
    this.#sums.clear();
    this.#weight = undefined;
  }
}

function zeros(shape: readonly number[]): tf.Variable {
  return tf.tidy(() => tf.variable(tf.zeros([...shape]), false));
}
