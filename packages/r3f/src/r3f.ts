import * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkChoice, checkKeys, checkNumber } from '@hypetune/core';
import {
  detach,
  divergenceOf,
  HIDDEN_STAGE,
  LOSS_STAGE,
  type Plugin,
  type PluginHost,
  type PluginPair,
} from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import { card, pairs } from './card.js';
import { consistency, embeddingNoise } from './formula.js';
import type { R3FOptions } from './options.js';
import { constrainHead } from './spectral-norm.js';

/** R3F (Aghajanyan et al., 2021): `L = L_task(f(x)) + weight * KL_S(f(x), f(x + z))`, z on the token vectors. */
export class R3F implements Plugin {
  readonly name = 'r3f';
  readonly pairs: readonly PluginPair[] = pairs;

  constructor(readonly options: R3FOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    for (const key of ['weight', 'scale'] as const)
      checkNumber(this.name, key, options[key] ?? 0, { min: 0 });
    for (const key of ['noise', 'hype', 'dropout', 'table'] as const)
      if (options[key] !== undefined) checkChoice(this.name, key, options[key], card.options[key]!.choices!);
    checkBoolean(this.name, 'spectralNorm', options.spectralNorm ?? false);
  }

  apply(host: PluginHost): void {
    const { weight = 1, scale = 1e-5, noise = 'uniform', hype = 'noised', dropout, table } = this.options;
    if (this.options.spectralNorm) constrainHead(host, this.name);
    if (weight === 0) return;
    const divergence = divergenceOf(host.task, this.name);
    if (scale < 1e-4 && (dropout === 'shared' || !host.hasDropout))
      host.warn(
        this.name,
        `without dropout between the passes noise of ${scale} is lost in rounding; raise scale.`,
      );
    if (hype === 'noised') host.perturbMainPass(false, this.name);
    host.hooks.afterEmbedding.tap({ name: this.name, stage: HIDDEN_STAGE.NOISE }, (vectors, pass) => {
      if (pass.name !== this.name) return vectors;
      const noised = embeddingNoise(noise, vectors.shape, scale, foldIn(pass.key, this.name));
      return tf.add(table === 'attached' ? vectors : detach(vectors), noised);
    });
    host.hooks.afterLoss.tap({ name: this.name, stage: LOSS_STAGE.CONSISTENCY }, (terms, step) => {
      const perturb = hype !== 'main';
      const noised = step.forward(this.name, dropout === 'shared' ? { perturb, like: 'main' } : { perturb });
      const rows = consistency(divergence, step.main.logits, noised.logits, step.batch.labels, weight);
      return { ...terms, [this.name]: step.mean(rows) };
    });
  }
}
