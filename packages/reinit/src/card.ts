import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  {
    with: 'recadam',
    verdict: 'note',
    reason: 'The weights it pulls back to are those after re-initialising.',
  },
  { with: 'l2-sp', verdict: 'note', reason: 'The weights it pulls back to are those after re-initialising.' },
  { with: 'mixout', verdict: 'note', reason: 'The weights it mixes in are those after re-initialising.' },
  {
    with: 'top-k',
    verdict: 'note',
    reason: 'Re-initialise no more layers than train, or random ones stay frozen.',
  },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'reinit',
  summary: 'Starts the top N hidden layers from random values (Zhang et al., 2021).',
  cost: 'none after the start',
  options: {
    layers: { type: 'number', default: 1, doc: 'N, hidden layers that start anew, from the top' },
    pooler: { type: 'boolean', default: true, doc: 'start the pooler anew too, where there is one' },
    deviation: { type: 'number', default: 0.02, doc: 'deviation of the new kernels' },
  },
};
