import {
  checkChoice,
  checkKeys,
  checkNumber,
  divergenceOf,
  HIDDEN_STAGE,
  LOSS_STAGE,
  type Plugin,
  type PluginHost,
  type PluginPair,
} from '@hypetune/core';
import { foldIn, randomNormal } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { distances, forms, heights, worst, type Form } from './formula.js';
import { card, pairs } from './card.js';

export interface SMARTOptions {
  /** Weight of the term; 0 is off. Default 1. */
  readonly weight?: number;
  /** K: steps up. Default 1. */
  readonly steps?: number;
  /** eta: length of a step. Default 1e-3. */
  readonly rate?: number;
  /** sigma: deviation of the start. Default 1e-5. */
  readonly start?: number;
  /** epsilon: largest entry of the perturbation (`paper`). Default 1e-5. */
  readonly radius?: number;
  /** `paper`, or what the released code computes. Default `paper`. */
  readonly form?: Form;
}

/** SMART (Jiang et al., 2020): `loss + weight * KL_S(f(x + d), f(x))`, d found by climbing that divergence. */
export class SMART implements Plugin {
  readonly name = 'smart';
  readonly pairs: readonly PluginPair[] = pairs;
  readonly options: Required<SMARTOptions>;

  constructor(options: SMARTOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    const { weight = 1, steps = 1, rate = 1e-3, start = 1e-5, radius = 1e-5, form = 'paper' } = options;
    checkNumber(this.name, 'steps', steps, { min: 1, integer: true });
    for (const [key, value] of Object.entries({ weight, rate, start, radius }))
      checkNumber(this.name, key, value, { min: 0 });
    this.options = { weight, steps, rate, start, radius, form: checkChoice(this.name, 'form', form, forms) };
  }

  apply(host: PluginHost): void {
    const { name, options } = this;
    if (options.weight === 0) return;
    const divergence = divergenceOf(host.task, name);
    const draws = options.form === 'paper' ? { like: 'main' } : {};
    let delta: tf.Tensor | undefined;
    let shape: number[] = [];
    host.hooks.afterEmbedding.tap({ name, stage: HIDDEN_STAGE.NOISE }, (vectors, pass) => {
      if (pass.kind === 'main') shape = vectors.shape;
      return delta ? tf.add(vectors, delta) : vectors;
    });
    host.hooks.afterLoss.tap({ name, stage: LOSS_STAGE.CONSISTENCY }, (terms, step) => {
      const { logits: clean, pass } = step.main;
      const perturbed = (at: tf.Tensor, passName: string, kind: 'probe' | 'consistency'): tf.Tensor => {
        delta = at;
        try {
          return step.forward(passName, { kind, perturb: pass.perturb, ...draws }).logits;
        } finally {
          delta = undefined;
        }
      };
      const { labels } = step.batch;
      const height = (at: tf.Tensor): tf.Scalar =>
        tf.sum(divergence(perturbed(at, `${name}/probe`, 'probe'), clean, labels, heights[options.form]));
      const found = worst(height, randomNormal(shape, foldIn(step.key, name), options.start), options);
      const rows = divergence(perturbed(found, name, 'consistency'), clean, labels, distances[options.form]);
      return { ...terms, [name]: tf.mul(step.mean(rows), options.weight) };
    });
  }
}
