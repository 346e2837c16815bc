import { checkChoice, checkKeys, checkNumber, HypetuneError, WEIGHT_STAGE } from '@hypetune/core';
import type { ParameterInfo, Plugin, PluginHost, PluginPair } from '@hypetune/core';
import { foldIn, randomBernoulli } from '@hypetune/ops';
import { card, pairs } from './card.js';
import { mixout } from './formula.js';

export interface MixoutOptions {
  /** Share of input features whose weights are the pre-trained ones; 0 is off. Default 0.9. */
  readonly p?: number;
  /** `exact` derivative (default), or `reference`: the released code's, without its factor 1 / (1 - p). */
  readonly gradient?: 'exact' | 'reference';
  /** A mask for each pass (default), or one that all passes of a microbatch share. */
  readonly mask?: 'independent' | 'shared';
  /** Every dropout rate while training; the source sets 0. Default: the model's own. */
  readonly dropout?: number;
}

/** Whether Mixout acts on it: a kernel of two dimensions, neither a token table nor a vector. */
export function isMixed({ role, shape }: ParameterInfo): boolean {
  return role === 'kernel' && shape.length === 2;
}

/** Mixout (Lee et al., 2020): kernels read as a random mixture of trained and pre-trained weights, training only. */
export class Mixout implements Plugin {
  readonly name = 'mixout';
  readonly pairs: readonly PluginPair[] = pairs;

  constructor(readonly options: MixoutOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    checkNumber(this.name, 'p', options.p ?? 0, { min: 0, max: 1 });
    checkNumber(this.name, 'dropout', options.dropout ?? 0, { min: 0, max: 1, below: true });
    for (const key of ['gradient', 'mask'] as const)
      if (options[key] !== undefined) checkChoice(this.name, key, options[key], card.options[key]!.choices!);
  }

  apply(host: PluginHost): void {
    const { p = 0.9, gradient, mask = 'independent', dropout } = this.options;
    if (dropout !== undefined) host.overrideDropout({ hidden: dropout, attention: dropout }, this.name);
    if (p === 0) return;
    if (!host.parameters.some((parameter) => isMixed(parameter) && parameter.pretrained))
      throw new HypetuneError(
        `${this.name}: the model has no pre-trained kernel to mix; it needs one below the head.`,
      );
    host.keepReference(this.name);
    host.hooks.afterWeightRead.tap(
      { name: this.name, stage: WEIGHT_STAGE.REPLACE },
      (weight, parameter, pass) => {
        const reference = pass.training && isMixed(parameter) ? host.reference(parameter) : undefined;
        if (!reference) return weight;
        const key = foldIn(mask === 'shared' ? pass.stepKey : pass.key, this.name, parameter.name);
        return mixout(weight, reference, randomBernoulli([parameter.shape[0]!, 1], key, 1 - p), p, gradient);
      },
    );
  }
}
