import {
  checkKeys,
  checkNumber,
  HIDDEN_STAGE,
  HypetuneError,
  type Plugin,
  type PluginHost,
  type PluginPair,
} from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import { drawBeta, drawOrder, drawPartners } from './draw.js';
import { blend, makeMix, type Mix } from './formula.js';
import { card, pairs } from './card.js';

export interface HiddenMixupOptions {
  /** Of `Beta(alpha, alpha)`, the distribution of the share; small is close to no mixing, 0 is off. Default 0.75. */
  readonly alpha?: number;
  /** The layers, 0 nearest to the input, one of which mixes its output in each batch. Default: every one. */
  readonly layers?: readonly number[];
}

/** Hidden mixup (TMix: Chen et al., 2020): `h = s h_a + (1 - s) h_b` after one layer, labels alike. */
export class HiddenMixup implements Plugin {
  readonly name = 'hidden-mixup';
  readonly pairs: readonly PluginPair[] = pairs;
  readonly alpha: number;
  readonly layers: readonly number[];

  constructor(options: HiddenMixupOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    this.alpha = checkNumber(this.name, 'alpha', options.alpha ?? 0.75, { min: 0 });
    this.layers = options.layers ?? [];
    for (const layer of this.layers) checkNumber(this.name, 'layers', layer, { min: 0, integer: true });
  }

  apply(host: PluginHost): void {
    const { name } = this;
    const { length } = host.layers;
    const beyond = this.layers.find((layer) => layer >= length);
    if (beyond !== undefined || length === 0)
      throw new HypetuneError(
        `${name}: layers must name hidden layers of the model, 0 to ${length - 1}, got ${beyond}.`,
      );
    if (this.alpha === 0) return;
    const places = this.layers.length > 0 ? this.layers : host.layers.map(({ index }) => index);
    let mix: (Mix & { readonly layer: number }) | undefined;
    host.hooks.beforeBatch.tap(name, (batch, step) => {
      const key = foldIn(step.key, name);
      const order = drawPartners(batch.indices, foldIn(key, 'order'));
      const [place] = drawOrder(places.length, foldIn(key, 'layer'));
      const share = drawBeta(this.alpha, foldIn(key, 'share'));
      mix = { ...makeMix(order, share, batch.weights), layer: places[place!]! };
      return { ...batch, labels: blend(batch.labels, mix) };
    });
    host.hooks.afterLayerForward.tap({ name, stage: HIDDEN_STAGE.TRANSFORM }, (hidden, layer, pass) =>
      pass.training && mix?.layer === layer.index && layer.visit === 0 ? blend(hidden, mix) : hidden,
    );
    host.hooks.onFitEnd.tap(name, () => (mix = undefined));
  }
}
