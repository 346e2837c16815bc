import { checkChoice, checkKeys, checkNumber, HIDDEN_STAGE } from '@hypetune/core';
import type { Plugin, PluginHost, PluginPair } from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import { chosenLayers, noises, perturb, unitNoise, type LayerSubset, type Noise } from './formula.js';
import { card, pairs } from './card.js';

export interface HyPeOptions extends LayerSubset {
  /** sigma: deviation of normal noise, half width of uniform noise; 0 is off. Default 1e-5. */
  readonly scale?: number;
  /** Default `normal`. */
  readonly noise?: Noise;
  /** Dropout rate of hidden states while training; the paper trains with 0. Default: the model's own. */
  readonly hiddenDropout?: number;
}

/** HyPe (Yuan et al., 2023): `h_{l+1} = g_l(h_l + e_l)`, fresh noise e_l at the input of every layer, training only. */
export class HyPe implements Plugin {
  readonly name = 'hype';
  readonly pairs: readonly PluginPair[] = pairs;
  readonly scale: number;
  readonly noise: Noise;

  constructor(readonly options: HyPeOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    this.scale = checkNumber(this.name, 'scale', options.scale ?? 1e-5, { min: 0 });
    this.noise = checkChoice(this.name, 'noise', options.noise ?? 'normal', noises);
    checkNumber(this.name, 'hiddenDropout', options.hiddenDropout ?? 0, { min: 0, max: 1, below: true });
    for (const key of ['topLayers', 'lowLayers'] as const)
      checkNumber(this.name, key, options[key] ?? 0, { min: 0, integer: true });
    for (const index of options.layers ?? [])
      checkNumber(this.name, 'layers', index, { min: 0, integer: true });
  }

  apply(host: PluginHost): void {
    const { hiddenDropout } = this.options;
    if (hiddenDropout !== undefined) host.overrideDropout({ hidden: hiddenDropout }, this.name);
    if (this.scale === 0) return;
    const bits = host.floatPrecision;
    if (this.scale < (bits === 16 ? 2 ** -11 : 2 ** -24))
      host.warn(
        this.name,
        `scale ${this.scale} is below half the spacing of ${bits}-bit floats near 1; raise it.`,
      );
    const chosen = chosenLayers(this.options, host.layers.length);
    host.hooks.beforeLayerForward.tap(
      { name: this.name, stage: HIDDEN_STAGE.NOISE },
      (hidden, layer, pass) => {
        if (!pass.training || !pass.perturb || !chosen.has(layer.index)) return hidden;
        const key = foldIn(pass.key, this.name, layer.index, layer.visit);
        return perturb(hidden, unitNoise(this.noise, hidden.shape, key), this.scale);
      },
    );
  }
}
