import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  {
    with: 'hype',
    verdict: 'note',
    reason: 'Noise below the trained layers still acts in the forward pass.',
  },
  {
    with: 'child-tuning',
    verdict: 'note',
    reason: 'Its percentile counts the trained parameters only.',
  },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'top-k',
  summary: 'Trains the top K hidden layers and the head, freezes the rest (Houlsby et al., 2019).',
  cost: 'no extra pass; frozen weights need no gradient, moments or decay',
  options: {
    layers: {
      type: 'number',
      default: 3,
      doc: 'K, hidden layers that train, from the top; one more than the model has is off',
    },
  },
};
