import {
  checkBoolean,
  checkKeys,
  checkNumber,
  HypetuneError,
  type Plugin,
  type PluginHost,
  type PluginPair,
} from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import { freshValue, isReset } from './formula.js';
import { card, pairs } from './card.js';

export interface ReinitOptions {
  /** N: how many hidden layers start anew, counted from the top. Default 1. */
  readonly layers?: number;
  /** Whether the pooler starts anew too, where the model has one. Default true. */
  readonly pooler?: boolean;
  /** Deviation of the new kernels. Default 0.02. */
  readonly deviation?: number;
}

/** Re-initialisation (Zhang et al., 2021): the top N hidden layers start from random values, kernels `N(0, deviation^2)`. */
export class Reinit implements Plugin {
  readonly name = 'reinit';
  readonly pairs: readonly PluginPair[] = pairs;
  readonly options: Required<ReinitOptions>;

  constructor(options: ReinitOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    const { layers = 1, pooler = true, deviation = 0.02 } = options;
    checkNumber(this.name, 'layers', layers, { min: 0, integer: true });
    checkBoolean(this.name, 'pooler', pooler);
    checkNumber(this.name, 'deviation', deviation, { min: 0, above: true });
    this.options = { layers, pooler, deviation };
  }

  apply(host: PluginHost): void {
    const { layers, pooler, deviation } = this.options;
    const count = host.layers.length;
    if (layers > count)
      throw new HypetuneError(
        `${this.name}: layers must be at most ${count}, the model's hidden layers, got ${layers}.`,
      );
    const chosen = host.parameters.filter((parameter) => isReset(parameter, count, layers, pooler));
    if (chosen.length === 0) return;
    host.hooks.afterLoad.tap(this.name, (weights, { key }) => {
      const changed = new Map(weights);
      for (const parameter of chosen)
        changed.set(parameter.name, freshValue(parameter, deviation, foldIn(key, this.name, parameter.name)));
      return changed;
    });
  }
}
