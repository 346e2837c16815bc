import * as tf from '@tensorflow/tfjs-core';
import type { TrainerHooks } from '../hooks.js';
import { globalNorm } from '../math/norm.js';
import { GRADIENT_STAGE } from '../stages.js';
import type { Gradients } from '../step.js';

/** Scales all gradients by `min(1, limit / (norm + 1e-6))`, norm being their global norm (as torch clips). */
export function clipByGlobalNorm(gradients: Gradients, norm: tf.Scalar, limit: number): Gradients {
  const factor = tf.minimum(tf.div(limit, tf.add(norm, 1e-6)), 1);
  return Object.fromEntries(
    Object.entries(gradients).map(([name, gradient]) => [name, tf.mul(gradient, factor)]),
  );
}

/** Core's own tap: measures the global norm of the gradients at the CLIP stage, and bounds it if there is a limit. */
export class Clip {
  /** Norm before clipping, of the step at hand; a tensor of that step. */
  norm: tf.Scalar | undefined;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  apply(hooks: TrainerHooks): void {
    hooks.afterBackward.tap({ name: 'clip', stage: GRADIENT_STAGE.CLIP }, (gradients) => {
      this.norm = globalNorm(Object.values(gradients));
      return this.#limit > 0 ? clipByGlobalNorm(gradients, this.norm, this.#limit) : gradients;
    });
  }
}
