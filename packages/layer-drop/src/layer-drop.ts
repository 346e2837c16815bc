import {
  checkKeys,
  checkNumber,
  HIDDEN_STAGE,
  type LayerInfo,
  type Pass,
  type Plugin,
  type PluginHost,
  type PluginPair,
} from '@hypetune/core';
import { foldIn, type Key } from '@hypetune/ops';
import { skipOrKeep } from './formula.js';
import { card, pairs } from './card.js';

export interface LayerDropOptions {
  /** Probability that a layer is skipped in a pass; 0 is off. Default 0.2. */
  readonly rate?: number;
}

/** LayerDrop (Fan et al., 2020): each hidden layer is skipped as a whole with probability p while training. */
export class LayerDrop implements Plugin {
  readonly name = 'layer-drop';
  readonly pairs: readonly PluginPair[] = pairs;
  readonly rate: number;

  constructor(options: LayerDropOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    this.rate = checkNumber(this.name, 'rate', options.rate ?? 0.2, { min: 0, max: 1, below: true });
  }

  apply(host: PluginHost): void {
    if (this.rate === 0) return;
    const { name } = this;
    const keyOf = (layer: LayerInfo, pass: Pass): Key => foldIn(pass.key, name, layer.index, layer.visit);
    let before: Parameters<typeof skipOrKeep>[0] | undefined;
    host.hooks.beforeLayerForward.tap({ name, stage: HIDDEN_STAGE.TRANSFORM }, (hidden) => (before = hidden));
    host.hooks.afterLayerForward.tap({ name, stage: HIDDEN_STAGE.TRANSFORM }, (after, layer, pass) => {
      if (!pass.training || !before) return after;
      if (String(before.shape) === String(after.shape))
        return skipOrKeep(before, after, this.rate, keyOf(layer, pass));
      host.warn(
        name,
        `hidden layer ${layer.index} is never skipped: it turns [${String(before.shape)}] into [${String(after.shape)}].`,
      );
      return after;
    });
  }
}
