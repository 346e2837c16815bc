import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  { with: 'l2-sp', verdict: 'warn', reason: 'Both pull the weights to the pre-trained ones; one is enough.' },
  { with: 'hype', verdict: 'note', reason: 'Different hooks.' },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'recadam',
  summary:
    'Anneals from recalling the pre-trained weights to learning the task, inside the update (Chen et al., 2020).',
  cost: 'no extra pass; a copy of the pre-trained weights',
  options: {
    weight: {
      type: 'number',
      default: 1,
      doc: 'w: share of the objective that is annealed; 0 is off (plain AdamW)',
    },
    pull: { type: 'number', default: 5000, doc: 'gamma: strength of the pull to the pre-trained weights' },
    annealing: {
      type: 'string',
      default: 'sigmoid',
      doc: 'how the task takes over; constant has it all from the first step',
      choices: ['sigmoid', 'linear', 'constant'],
    },
    rate: { type: 'number', default: 0.5, doc: 'k: steepness of the sigmoid, a step' },
    midpoint: {
      type: 'number',
      default: 250,
      doc: 't0: step where the sigmoid is half, or where the line ends',
    },
  },
};
