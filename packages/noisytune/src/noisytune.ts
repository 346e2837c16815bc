import * as tf from '@tensorflow/tfjs-core';
import { checkKeys, checkNumber, type Plugin, type PluginHost, type PluginPair } from '@hypetune/core';
import { foldIn, randomUniform } from '@hypetune/ops';
import { card, pairs } from './card.js';
import { noisyTune } from './formula.js';

export interface NoisyTuneOptions {
  /** lambda: full width of the uniform noise, in deviations of each tensor; 0 is off. Default 0.15. */
  readonly intensity?: number;
}

/** NoisyTune (Wu et al., 2022): `W + U(-intensity / 2, intensity / 2) * std(W)` for each tensor, once before training. */
export class NoisyTune implements Plugin {
  readonly name = 'noisytune';
  readonly pairs: readonly PluginPair[] = pairs;
  readonly intensity: number;

  constructor(options: NoisyTuneOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    this.intensity = checkNumber(this.name, 'intensity', options.intensity ?? 0.15, { min: 0 });
  }

  apply(host: PluginHost): void {
    if (this.intensity === 0) return;
    host.hooks.afterLoad.tap(this.name, (weights, { key }) => {
      const noisy = new Map(weights);
      for (const [name, weight] of weights) {
        const draw = (): tf.Tensor => randomUniform([...weight.shape], foldIn(key, this.name, name));
        const changed = tf.tidy(() => noisyTune(weight, draw(), this.intensity));
        noisy.set(name, changed);
      }
      return noisy;
    });
  }
}
