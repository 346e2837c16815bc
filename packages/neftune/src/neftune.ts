import {
  checkKeys,
  checkNumber,
  HIDDEN_STAGE,
  type Plugin,
  type PluginHost,
  type PluginPair,
} from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import { addNoise } from './formula.js';
import { card, pairs } from './card.js';

export interface NEFTuneOptions {
  /** Strength of the noise, before division by the root of the sequence's size; 0 is off. Default 5. */
  readonly alpha?: number;
}

/** NEFTune (Jain et al., 2023): token vectors `+ U(-1, 1) * alpha / sqrt(length * width)` while training. */
export class NEFTune implements Plugin {
  readonly name = 'neftune';
  readonly pairs: readonly PluginPair[] = pairs;
  readonly alpha: number;

  constructor(options: NEFTuneOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    this.alpha = checkNumber(this.name, 'alpha', options.alpha ?? 5, { min: 0 });
  }

  apply(host: PluginHost): void {
    if (this.alpha === 0) return;
    host.hooks.afterEmbedding.tap({ name: this.name, stage: HIDDEN_STAGE.NOISE }, (vectors, pass) =>
      pass.training && pass.kind !== 'probe'
        ? addNoise(vectors, this.alpha, foldIn(pass.stepKey, this.name))
        : vectors,
    );
  }
}
