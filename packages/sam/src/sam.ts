import {
  BACKWARD_STAGE,
  checkBoolean,
  checkKeys,
  checkNumber,
  WEIGHT_STAGE,
  type Gradients,
  type Plugin,
  type PluginHost,
  type PluginPair,
} from '@hypetune/core';
import * as tf from '@tensorflow/tfjs-core';
import { adaptiveOffsets, offsets } from './formula.js';
import { card, pairs } from './card.js';

export interface SAMOptions {
  /** rho: length of the step up, over all parameters; 0 is off. Default 0.05, with `adaptive` 0.5. */
  readonly radius?: number;
  /** Measure the step in units of each weight's size (ASAM). Default false. */
  readonly adaptive?: boolean;
}

/** SAM (Foret et al., 2021): the gradient at `w + e`, `e = rho * g / ||g||`, applied to w. */
export class SAM implements Plugin {
  readonly name = 'sam';
  readonly pairs: readonly PluginPair[] = pairs;
  readonly radius: number;
  readonly adaptive: boolean;

  constructor(options: SAMOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    this.adaptive = checkBoolean(this.name, 'adaptive', options.adaptive ?? false);
    this.radius = checkNumber(this.name, 'radius', options.radius ?? (this.adaptive ? 0.5 : 0.05), {
      min: 0,
    });
  }

  apply(host: PluginHost): void {
    if (this.radius === 0) return;
    let offset: Gradients | undefined;
    host.hooks.afterWeightRead.tap(
      { name: this.name, stage: WEIGHT_STAGE.OFFSET },
      (weight, { name }, pass) => (pass.training && offset?.[name] ? tf.add(weight, offset[name]) : weight),
    );
    host.hooks.aroundBackward.tap(
      { name: this.name, stage: BACKWARD_STAGE.SHARPNESS },
      (gradient) => (options) => {
        const here = gradient(options);
        try {
          offset = this.adaptive
            ? adaptiveOffsets(here.gradients, this.values(host), this.radius)
            : offsets(here.gradients, this.radius);
          return { ...gradient(options), terms: here.terms };
        } finally {
          offset = undefined;
        }
      },
    );
  }

  private values(host: PluginHost): Gradients {
    return Object.fromEntries(host.parameters.map((parameter) => [parameter.name, host.value(parameter)]));
  }
}
