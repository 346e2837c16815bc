import {
  checkKeys,
  checkNumber,
  HIDDEN_STAGE,
  HypetuneError,
  keepForGradient,
  LOSS_STAGE,
  type LayerInfo,
  type Plugin,
  type PluginHost,
  type PluginPair,
} from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { addNoise, drift } from './formula.js';
import { card, pairs } from './card.js';

export interface LNSROptions {
  /** lambda: weight of the drift of every layer from `layer` up; 0 is off. Default 1. */
  readonly weight?: number;
  /** Deviation of the noise; 0 is off. Default 0.01. */
  readonly scale?: number;
  /** b: the layer whose input gets the noise, 0 nearest to the model's input. Default 0. */
  readonly layer?: number;
}

/** LNSR (Hua et al., 2021): `loss + lambda * sum_{r >= b} ||h_r(noise at b) - h_r||^2`. */
export class LNSR implements Plugin {
  readonly name = 'lnsr';
  readonly pairs: readonly PluginPair[] = pairs;
  readonly weight: number;
  readonly scale: number;
  readonly layer: number;

  constructor(options: LNSROptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    this.weight = checkNumber(this.name, 'weight', options.weight ?? 1, { min: 0 });
    this.scale = checkNumber(this.name, 'scale', options.scale ?? 0.01, { min: 0 });
    this.layer = checkNumber(this.name, 'layer', options.layer ?? 0, { min: 0, integer: true });
  }

  apply(host: PluginHost): void {
    const { name } = this;
    const { length } = host.layers;
    if (this.layer >= length)
      throw new HypetuneError(
        `${name}: layer must be one of the model's hidden layers, 0 to ${length - 1}, got ${this.layer}.`,
      );
    if (this.weight === 0 || this.scale === 0) return;
    const clean = new Map<string, tf.Tensor>();
    const drifts: tf.Tensor1D[] = [];
    const place = (layer: LayerInfo): string => `${layer.index}/${layer.visit}`;
    host.hooks.beforeLayerForward.tap({ name, stage: HIDDEN_STAGE.NOISE }, (hidden, layer, pass) =>
      pass.name === name && layer.index === this.layer && layer.visit === 0
        ? addNoise(hidden, this.scale, foldIn(pass.key, name))
        : hidden,
    );
    host.hooks.afterLayerForward.tap({ name, stage: HIDDEN_STAGE.RECORD }, (hidden, layer, pass) => {
      if (layer.index < this.layer) return hidden;
      if (pass.kind === 'main') clean.set(place(layer), keepForGradient(hidden));
      if (pass.name === name) drifts.push(keepForGradient(drift(hidden, clean.get(place(layer))!)));
      return hidden;
    });
    host.hooks.afterLoss.tap({ name, stage: LOSS_STAGE.CONSISTENCY }, (terms, step) => {
      drifts.length = 0;
      step.forward(name, { like: 'main', perturb: step.main.pass.perturb });
      const term: tf.Scalar = tf.mul(step.mean(tf.addN(drifts)), this.weight);
      clean.clear();
      return { ...terms, [name]: term };
    });
  }
}
