import {
  BACKWARD_STAGE,
  checkKeys,
  checkNumber,
  HIDDEN_STAGE,
  type GradientResult,
  type Plugin,
  type PluginHost,
  type PluginPair,
} from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { ascend, average, start } from './formula.js';
import { card, pairs } from './card.js';

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
    let seen: readonly number[] = [];
    const shapes = new Map<string, readonly number[]>();
    host.hooks.afterEmbedding.tap({ name, stage: HIDDEN_STAGE.NOISE }, (vectors, pass) => {
      seen = vectors.shape;
      return pass.training && delta ? tf.add(vectors, delta) : vectors;
    });
    host.hooks.aroundBackward.tap(
      { name, stage: BACKWARD_STAGE.MULTISTEP },
      (gradient, step) => (options) => {
        try {
          const { inputs } = step.batch;
          const rows = String(inputs.map((input) => input.shape));
          if (!shapes.has(rows)) tf.tidy(() => void step.forward(`${name}/shape`, { kind: 'probe' }));
          if (!shapes.has(rows)) shapes.set(rows, seen);
          delta = start(shapes.get(rows)!, magnitude, foldIn(step.key, name));
          const results: GradientResult[] = [];
          for (let k = 1; k <= steps; k++) {
            results.push(gradient({ ...options, inputs: { ...options?.inputs, [name]: delta } }));
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
