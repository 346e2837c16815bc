import type * as tf from '@tensorflow/tfjs-core';
import { checkBoolean, checkChoice, checkKeys, checkNumber } from '@hypetune/core';
import { GRADIENT_STAGE, HypetuneError } from '@hypetune/core';
import type { Plugin, PluginHost, PluginPair } from '@hypetune/core';
import { foldIn, randomBernoulli } from '@hypetune/ops';
import { card, pairs } from './card.js';
import { fixMasks } from './fisher.js';
import { thinned } from './formula.js';

export interface ChildTuningOptions {
  /** `F`: a new random mask each step. `D` (default): a fixed mask, the weights of most Fisher information. */
  readonly mode?: 'F' | 'D';
  /** p: share of the weights that learn, above 0; 1 is off. Default 0.3. */
  readonly reserve?: number;
  /** Divide what is left by `reserve`. Default: F does, D does not. */
  readonly rescale?: boolean;
  /** D: largest norm of each tensor's gradient in the Fisher pass; 0 is any. Default 1. */
  readonly fisherClip?: number;
}

/** Child-Tuning (Xu et al., 2021): `g <- g * m`, m drawn each step (F, divided by p) or fixed before training (D). */
export class ChildTuning implements Plugin {
  readonly name = 'child-tuning';
  readonly pairs: readonly PluginPair[] = pairs;

  constructor(readonly options: ChildTuningOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    checkChoice(this.name, 'mode', options.mode ?? 'D', ['F', 'D']);
    checkNumber(this.name, 'reserve', options.reserve ?? 0.3, { min: 0, above: true, max: 1 });
    checkNumber(this.name, 'fisherClip', options.fisherClip ?? 1, { min: 0 });
    checkBoolean(this.name, 'rescale', options.rescale ?? false);
  }

  apply(host: PluginHost): void {
    const { mode = 'D', reserve = 0.3, rescale = mode === 'F', fisherClip = 1 } = this.options;
    if (reserve === 1) return;
    if (mode === 'D' && host.layers.length === 0)
      throw new HypetuneError(
        `${this.name}: mode D masks hidden layers and the model has none; use mode 'F'.`,
      );
    if (mode === 'D')
      host.hooks.onFitStart.tapPromise(this.name, (run) =>
        fixMasks(this.name, host, run, reserve, fisherClip),
      );
    const masks = host.tensors(this.name);
    host.hooks.afterBackward.tap({ name: this.name, stage: GRADIENT_STAGE.MASK }, (gradients, step) => {
      const thin = ([name, gradient]: [string, tf.Tensor]): [string, tf.Tensor] => {
        const drawn =
          mode === 'F' && randomBernoulli(gradient.shape, foldIn(step.key, this.name, name), reserve);
        const mask = drawn || masks.get(name);
        return [name, mask ? thinned(gradient, mask, rescale ? 1 / reserve : 1) : gradient];
      };
      return Object.fromEntries(Object.entries(gradients).map(thin));
    });
  }
}
