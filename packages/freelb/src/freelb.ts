import {
  BACKWARD_STAGE,
  checkKeys,
  checkNumber,
  HIDDEN_STAGE,
  HypetuneError,
  type GradientResult,
  type Plugin,
  type PluginHost,
  type PluginPair,
} from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { ascend, average, start } from './formula.js';
import { card, pairs } from './card.js';
import { vectorShape } from './vectors.js';

export interface FreeLBOptions {
  /** K: forward and backward passes a step. Default 3. */
  readonly steps?: number;
  /** Length of each of the K - 1 steps up. Default 0.1. */
  readonly rate?: number;
  /** Size of the random start, before division by the root of length times width. Default 0. */
  readonly magnitude?: number;
  /** Longest perturbation of a row; 0 is any. Default 0. */
  readonly maxNorm?: number;
}

/** FreeLB (Zhu et al., 2020): the mean gradient of K passes, the token vectors pushed up the loss between them. */
export class FreeLB implements Plugin {
  readonly name = 'freelb';
  readonly pairs: readonly PluginPair[] = pairs;
  readonly options: Required<FreeLBOptions>;

  constructor(options: FreeLBOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    const { steps = 3, rate = 0.1, magnitude = 0, maxNorm = 0 } = options;
    checkNumber(this.name, 'steps', steps, { min: 1, integer: true });
    for (const [key, value] of Object.entries({ rate, magnitude, maxNorm }))
      checkNumber(this.name, key, value, { min: 0 });
    this.options = { steps, rate, magnitude, maxNorm };
  }

  apply(host: PluginHost): void {
    const { name } = this;
    const { steps, rate, magnitude, maxNorm } = this.options;
    if (steps === 1 && magnitude === 0) return;
    let delta: tf.Tensor | undefined;
    let met = false;
    host.hooks.afterEmbedding.tap({ name, stage: HIDDEN_STAGE.NOISE }, (vectors, pass) => {
      if (!pass.training || !delta || String(vectors.shape) !== String(delta.shape)) return vectors;
      met = true;
      return tf.add(vectors, delta);
    });
    host.hooks.aroundBackward.tap(
      { name, stage: BACKWARD_STAGE.MULTISTEP },
      (gradient, step) => (options) => {
        try {
          delta = start(vectorShape(host, step.batch), magnitude, foldIn(step.key, name));
          const results: GradientResult[] = [];
          for (let k = 1; k <= steps; k++) {
            results.push(gradient({ ...options, inputs: { ...options?.inputs, [name]: delta } }));
            if (!met)
              throw new HypetuneError(
                `${name}: nothing of shape [${String(delta.shape)}] left a token table; the first input must be token ids or floats.`,
              );
            if (k < steps) delta = ascend(delta, results.at(-1)!.inputGradients[name]!, rate, maxNorm);
          }
          return { ...results[0]!, gradients: average(results.map(({ gradients }) => gradients)) };
        } finally {
          delta = undefined;
        }
      },
    );
  }
}
