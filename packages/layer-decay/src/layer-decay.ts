import {
  checkChoice,
  checkKeys,
  checkNumber,
  type Plugin,
  type PluginHost,
  type PluginPair,
} from '@hypetune/core';
import { countings, depth, type Counting } from './formula.js';
import { card, pairs } from './card.js';

export interface LayerDecayOptions {
  /** d: the learning rate of a layer over that of the layer above it; 1 is off. Default 0.95. */
  readonly decay?: number;
  /** Default `revisit`: the top layer is one step below the head; `electra`: two. */
  readonly counting?: Counting;
}

/** Layer-wise learning rates (Howard and Ruder, 2018): `rate * d^depth`, depth counted from the head down. */
export class LayerDecay implements Plugin {
  readonly name = 'layer-decay';
  readonly pairs: readonly PluginPair[] = pairs;
  readonly decay: number;
  readonly counting: Counting;

  constructor(options: LayerDecayOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    this.decay = checkNumber(this.name, 'decay', options.decay ?? 0.95, { min: 0, max: 1, above: true });
    this.counting = checkChoice(this.name, 'counting', options.counting ?? 'revisit', countings);
  }

  apply(host: PluginHost): void {
    if (this.decay === 1) return;
    const count = host.layers.length;
    host.hooks.afterSchedule.tap(
      this.name,
      (rate, parameter) => rate * this.decay ** depth(parameter, count, this.counting),
    );
  }
}
