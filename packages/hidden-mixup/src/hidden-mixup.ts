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
import * as tf from '@tensorflow/tfjs-core';
import { drawOrder, drawPartners, drawShare } from './draw.js';
import { blend } from './formula.js';
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
    // Every place mixes at every step, all but one with a share of 1: a compiled step then stays the same.
    let partners: tf.Tensor1D;
    let shares: ReadonlyMap<number, tf.Scalar> | undefined;
    host.hooks.beforeBatch.tap(name, (batch, step) => {
      const key = foldIn(step.key, name);
      const [chosen] = drawOrder(places.length, foldIn(key, 'layer'));
      const share = drawShare(this.alpha, foldIn(key, 'share'));
      partners = tf.tensor1d(drawPartners(batch.indices, foldIn(key, 'order')), 'int32');
      shares = new Map(places.map((layer, place) => [layer, tf.scalar(place === chosen ? share : 1)]));
      // A row's weight too: with a task of tokens it is the number of those that count.
      const mixed = tf.scalar(share);
      return {
        ...batch,
        labels: blend(batch.labels, partners, mixed),
        weights: blend(batch.weights, partners, mixed),
      };
    });
    host.hooks.afterLayerForward.tap({ name, stage: HIDDEN_STAGE.TRANSFORM }, (hidden, layer, pass) => {
      const share = pass.training && layer.visit === 0 ? shares?.get(layer.index) : undefined;
      return share ? blend(hidden, partners, share) : hidden;
    });
    host.hooks.onFitEnd.tap(name, () => (shares = undefined));
  }
}
