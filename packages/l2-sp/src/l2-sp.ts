import * as tf from '@tensorflow/tfjs-core';
import { checkChoice, checkKeys, checkNumber, LOSS_STAGE, UPDATE_STAGE } from '@hypetune/core';
import type { ParameterInfo, Plugin, PluginHost, PluginPair } from '@hypetune/core';
import { card, pairs } from './card.js';
import { penalty, pulledUpdate } from './formula.js';

export interface L2SPOptions {
  /** alpha: strength on pre-trained weights, towards their start. Default 0.01. */
  readonly weight?: number;
  /** beta: strength on new weights, towards zero. Default 0.01. With both 0 it is off. */
  readonly headWeight?: number;
  /** `coupled` (default): a term of the loss. `decoupled`: beside the optimizer's update, scaled by the learning rate. */
  readonly mode?: 'coupled' | 'decoupled';
  /** `weights` (default): kernels and tables. `all`: biases and normalization too. */
  readonly scope?: 'weights' | 'all';
}

/** L2-SP (Li et al., 2018): `L + weight / 2 * |w - w0|^2 + headWeight / 2 * |v|^2`, w pre-trained, v new weights. */
export class L2SP implements Plugin {
  readonly name = 'l2-sp';
  readonly pairs: readonly PluginPair[] = pairs;

  constructor(readonly options: L2SPOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    for (const key of ['weight', 'headWeight'] as const)
      checkNumber(this.name, key, options[key] ?? 0, { min: 0 });
    for (const key of ['mode', 'scope'] as const)
      if (options[key] !== undefined) checkChoice(this.name, key, options[key], card.options[key]!.choices!);
  }

  apply(host: PluginHost): void {
    const { name, options } = this;
    const { weight = 0.01, headWeight = 0.01, mode, scope } = options;
    if (weight === 0 && headWeight === 0) return;
    host.keepReference(name);
    const strength = (parameter: ParameterInfo): number => (parameter.pretrained ? weight : headWeight);
    const held = (): ParameterInfo[] =>
      host.parameters
        .filter(({ trainable, role }) => trainable && (scope === 'all' || /kernel|embedding/.test(role)))
        .filter((parameter) => strength(parameter) > 0);
    if (mode === 'decoupled')
      host.hooks.beforeUpdate.tap({ name, stage: UPDATE_STAGE.PULL }, (updates, step) => {
        const pulled: Record<string, tf.Tensor> = { ...updates };
        for (const parameter of held()) {
          const pull = step.learningRate(parameter) * strength(parameter);
          const [value, reference] = [host.value(parameter), host.reference(parameter)];
          pulled[parameter.name] = pulledUpdate(updates[parameter.name]!, value, reference, pull);
        }
        return pulled;
      });
    else
      host.hooks.afterLoss.tap({ name, stage: LOSS_STAGE.PENALTY }, (terms) => {
        const penalties = held().map((parameter) =>
          penalty(host.value(parameter), host.reference(parameter), strength(parameter)),
        );
        return penalties.length > 0 ? { ...terms, [name]: tf.addN(penalties) } : terms;
      });
  }
}
