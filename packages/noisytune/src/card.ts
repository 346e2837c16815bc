import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  {
    with: 'recadam',
    verdict: 'note',
    reason: 'The weights recalled are those after the noise, so the pull does not undo it.',
  },
  { with: 'l2-sp', verdict: 'note', reason: 'The pull is towards the weights after the noise.' },
  {
    with: 'reinit',
    verdict: 'note',
    reason: 'Registration order decides whether the new layers get noise too.',
  },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'noisytune',
  summary: 'Adds noise to the pre-trained weights once, before training (Wu et al., 2022).',
  cost: 'none',
  options: {
    intensity: {
      type: 'number',
      default: 0.15,
      doc: 'lambda: width of the noise in deviations of each tensor; 0 is off',
    },
  },
};
