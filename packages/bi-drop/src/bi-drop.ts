import type * as tf from '@tensorflow/tfjs-core';
import { defineMethod, type Gradients, mapTensors, type PluginHost, type Step, z } from '@hypetune/core';
import { average, importance, selected, threshold } from './formula.js';

/** Bi-Drop (Tong et al., 2023): of the mean gradient over several dropout draws only the entries that matter most are kept. */
export const biDrop = defineMethod({
  name: 'bi-drop',
  summary: 'Lets those weights learn whose gradients agree over several dropout draws of the same rows.',
  source: 'Tong et al., 2023',
  cost: 'as many forward and backward passes as draws, and a search for one threshold',
  options: {
    draws: z
      .int()
      .min(1)
      .default(2)
      .describe('forward and backward passes of the same rows, each with its own dropout'),
    reserve: z
      .number()
      .gt(0)
      .max(1)
      .default(0.5)
      .describe('share of the weights with a gradient that learn; 1 with one draw is off'),
  },
  pairs: {
    warn: { 'child-tuning': 'Both choose a part of the weights; what learns is the intersection.' },
    note: {
      freelb: 'Each draw is a FreeLB run of its own.',
      mixout: 'Each draw mixes by its own mask.',
      sam: 'The step up and the gradient there are both chosen; draws are the same in both.',
    },
  },
  apply(host, { draws, reserve }) {
    if (draws === 1 && reserve === 1) return;
    if (draws > 1)
      host.needsDropout(
        'there is no dropout: without another source of noise all draws give the same gradient.',
      );
    host.hooks.aroundBackward.tap(host.name, (gradient, step) => (options) => {
      const results = Array.from({ length: draws }, (_, draw) =>
        gradient({ ...options, draw: (options?.draw ?? 0) * draws + draw }),
      );
      const gradients = results.map((result) => result.gradients);
      return {
        ...results[0]!,
        gradients: reserve === 1 ? average(gradients) : subnet(gradients, step, host, reserve),
        inputGradients: average(results.map(({ inputGradients }) => inputGradients)),
      };
    });
  },
});

/** The mean gradient of the sub-net, zeros elsewhere. */
function subnet(
  gradients: readonly Gradients[],
  { parameters }: Step,
  host: PluginHost,
  reserve: number,
): Gradients {
  const mean = average(gradients);
  const scores = new Map<string, tf.Tensor>(
    parameters.map((parameter) => {
      const { name } = parameter;
      const each = gradients.map((gradient) => gradient[name]!);
      return [name, importance(each, mean[name]!, host.value(parameter))];
    }),
  );
  const lowest = threshold([...scores.values()], reserve);
  return mapTensors(mean, (gradient, name) => selected(gradient, scores.get(name)!, lowest));
}
