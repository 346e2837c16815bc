import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  { with: 'freelb', verdict: 'note', reason: 'The averaged gradient is masked, once.' },
  {
    with: 'l2-sp',
    verdict: 'note',
    reason: 'Coupled, the penalty is masked with the gradient; decoupled, it is not.',
  },
  { with: 'recadam', verdict: 'note', reason: 'The pull is not masked.' },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'child-tuning',
  summary:
    'Lets only a part of the weights learn: at random (F) or those that matter to the task (D) (Xu et al., 2021).',
  cost: 'F: one draw a weight; D: one epoch of gradients before training, and a mask a weight',
  options: {
    mode: {
      type: 'string',
      default: 'D',
      doc: 'F: a new random mask each step; D: a fixed mask by Fisher information',
      choices: ['F', 'D'],
    },
    reserve: { type: 'number', default: 0.3, doc: 'share of the weights that learn, above 0; 1 is off' },
    rescale: {
      type: 'boolean',
      default: undefined,
      doc: 'divide what is left by `reserve`; by default F does and D does not',
    },
    fisherClip: {
      type: 'number',
      default: 1,
      doc: "D: largest norm of each tensor's gradient in the Fisher pass; 0 is any",
    },
  },
};
