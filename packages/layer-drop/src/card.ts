import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  { with: 'hype', verdict: 'note', reason: 'A skipped layer passes on what entered it before the noise.' },
  { with: 'lnsr', verdict: 'note', reason: 'Its second pass skips the same layers as the main pass.' },
  {
    with: 'r-drop',
    verdict: 'note',
    reason: 'The two passes skip different layers, so the divergence measures that too.',
  },
  {
    with: 'r3f',
    verdict: 'warn',
    reason: 'The passes skip different layers: the divergence measures that, not the noise.',
  },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'layer-drop',
  summary: 'Skips whole hidden layers at random while training (Fan et al., 2020).',
  cost: 'no extra pass; one elementwise choice a layer (a skipped layer is still computed)',
  options: {
    rate: { type: 'number', default: 0.2, doc: 'p, probability that a layer is skipped in a pass; 0 is off' },
  },
};
