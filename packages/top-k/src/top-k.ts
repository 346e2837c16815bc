import { checkKeys, checkNumber, type Plugin, type PluginHost, type PluginPair } from '@hypetune/core';
import { trains } from './formula.js';
import { card, pairs } from './card.js';

export interface TopKOptions {
  /** K: how many hidden layers train, counted from the top; 0 trains the head alone. Default 3. */
  readonly layers?: number;
}

/** Top-K tuning (Houlsby et al., 2019): the top K hidden layers and the head train, what lies below keeps its weights. */
export class TopK implements Plugin {
  readonly name = 'top-k';
  readonly pairs: readonly PluginPair[] = pairs;
  readonly layers: number;

  constructor(options: TopKOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    this.layers = checkNumber(this.name, 'layers', options.layers ?? 3, { min: 0, integer: true });
  }

  apply(host: PluginHost): void {
    const count = host.layers.length;
    if (this.layers > count) {
      host.warn(this.name, `layers ${this.layers} of a model with ${count} hidden layers freezes nothing.`);
      return;
    }
    host.hooks.shouldTrain.tap(this.name, (parameter) =>
      trains(parameter, this.layers, count) ? undefined : false,
    );
  }
}
