import * as tf from '@tensorflow/tfjs-core';
import type { ParameterInfo } from './parameters.js';
import type { Gradients } from './step.js';

/**
 * The gradient of an update as the sum of its microbatches', each weighted by its share of the rows: that of one large batch.
 * Held from one microbatch to the next, so that each may be a step of its own to an engine that compiles steps.
 */
export class Accumulation {
  readonly #sums = new Map<string, tf.Variable>();

  /** Makes room for the gradients of these parameters; not inside a step, which would then be another one the first time. */
  prepare(parameters: readonly ParameterInfo[]): void {
    for (const { name, shape } of parameters)
      if (!this.#sums.has(name))
        this.#sums.set(
          name,
          tf.tidy(() => tf.variable(tf.zeros([...shape]), false)),
        );
  }

  /** Adds `share` times the gradients; `first` begins new sums. To be called inside a tidy. */
  add(gradients: Gradients, share: number, first: boolean): void {
    // Factors, not ifs: every microbatch is then the same step.
    const kept = tf.scalar(first ? 0 : 1);
    const taken = tf.scalar(share);
    for (const [name, gradient] of Object.entries(gradients)) {
      const sum = this.#sums.get(name)!;
      sum.assign(tf.add(tf.mul(sum, kept), tf.mul(gradient, taken)));
    }
  }

  /** The sums for these parameters; they stay this object's. */
  gradients(parameters: readonly ParameterInfo[]): Gradients {
    return Object.fromEntries(parameters.map(({ name }) => [name, this.#sums.get(name)!]));
  }

  dispose(): void {
    for (const sum of this.#sums.values()) sum.dispose();
    this.#sums.clear();
  }
}
