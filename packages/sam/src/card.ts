import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  {
    with: 'child-tuning',
    verdict: 'note',
    reason: 'The mask acts on the final gradient, not on the step up.',
  },
  { with: 'mixout', verdict: 'note', reason: 'The step up moves the weights before they are mixed.' },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'sam',
  summary: 'Takes the gradient at the worst point near the weights (Foret et al., 2021).',
  cost: 'one more forward and backward pass: twice a plain step',
  options: {
    radius: { type: 'number', default: 0.05, doc: 'rho, length of the step up; 0 is off; 0.5 if adaptive' },
    adaptive: {
      type: 'boolean',
      default: false,
      doc: "measure the step in units of each weight's size (ASAM)",
    },
  },
};
