import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  { with: 'hype', verdict: 'note', reason: 'Different hooks.' },
  {
    with: 'sam',
    verdict: 'note',
    reason: 'Coupled, both of its gradients hold the penalty at the unshifted weights.',
  },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'l2-sp',
  summary: 'Decays the weights towards the pre-trained ones instead of zero (Li et al., 2018).',
  cost: 'no extra pass; a copy of the pre-trained weights',
  options: {
    weight: {
      type: 'number',
      default: 0.01,
      doc: 'alpha: strength on pre-trained weights, towards their start',
    },
    headWeight: { type: 'number', default: 0.01, doc: 'beta: strength on new weights, towards zero' },
    mode: {
      type: 'string',
      default: 'coupled',
      doc: "coupled: a term of the loss; decoupled: beside the optimizer's update",
      choices: ['coupled', 'decoupled'],
    },
    scope: {
      type: 'string',
      default: 'weights',
      doc: 'kernels and tables, or biases and normalization too',
      choices: ['weights', 'all'],
    },
  },
};
