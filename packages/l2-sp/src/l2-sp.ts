import * as tf from '@tensorflow/tfjs-core';
import { defineMethod, LOSS_STAGE, UPDATE_STAGE, z, type ParameterInfo } from '@hypetune/core';
import { penalty, pulledUpdate } from './formula.js';

/** L2-SP (Li et al., 2018): `L + weight / 2 * |w - w0|^2 + headWeight / 2 * |v|^2`, w pre-trained, v new weights. */
export const l2sp = defineMethod({
  name: 'l2-sp',
  summary: 'Decays the weights towards the pre-trained ones instead of zero.',
  source: 'Li et al., 2018',
  cost: 'no extra pass; a copy of the pre-trained weights',
  options: {
    weight: z.number().min(0).default(0.01).meta({
      description: 'alpha, strength on pre-trained weights, towards their start; both strengths 0 is off',
      paper: 'code 0.01',
    }),
    headWeight: z.number().min(0).default(0.01).meta({
      description: 'beta, strength on new weights, towards zero',
      paper: 'code 0.01',
    }),
    mode: z.enum(['coupled', 'decoupled']).default('coupled').meta({
      description:
        "coupled: a term of the loss; decoupled: beside the optimizer's update, times the learning rate",
      paper: 'coupled; later work decoupled',
    }),
    scope: z.enum(['weights', 'all']).default('weights').meta({
      description: 'weights: kernels and tables; all: biases and normalization too',
      paper: 'code has both',
    }),
  },
  pairs: {
    note: {
      hype: 'Different hooks.',
      sam: 'Coupled, both of its gradients hold the penalty at the unshifted weights.',
    },
  },
  apply(host, { weight, headWeight, mode, scope }) {
    const { name, hooks } = host;
    if (weight === 0 && headWeight === 0) return;
    host.keepReference();
    const strength = (parameter: ParameterInfo): number => (parameter.pretrained ? weight : headWeight);
    const held = (): ParameterInfo[] =>
      host.parameters
        .filter(({ trainable, role }) => trainable && (scope === 'all' || /kernel|embedding/.test(role)))
        .filter((parameter) => strength(parameter) > 0);
    if (mode === 'decoupled')
      hooks.beforeUpdate.tap({ name, stage: UPDATE_STAGE.PULL }, (updates, step) => {
        const pulled: Record<string, tf.Tensor> = { ...updates };
        for (const parameter of held()) {
          const pull = step.learningRate(parameter) * strength(parameter);
          const [value, reference] = [host.value(parameter), host.reference(parameter)];
          pulled[parameter.name] = pulledUpdate(updates[parameter.name]!, value, reference, pull);
        }
        return pulled;
      });
    else
      hooks.afterLoss.tap({ name, stage: LOSS_STAGE.PENALTY }, (terms) => {
        const penalties = held().map((parameter) =>
          penalty(host.value(parameter), host.reference(parameter), strength(parameter)),
        );
        return penalties.length > 0 ? { ...terms, [name]: tf.addN(penalties) } : terms;
      });
  },
});
