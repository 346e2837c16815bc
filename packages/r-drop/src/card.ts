import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  {
    with: 'mixout',
    verdict: 'note',
    reason: 'Each pass mixes by its own mask, which the divergence then measures too.',
  },
  {
    with: 'neftune',
    verdict: 'note',
    reason: 'NEFTune draws once a step, so both passes get the same noise.',
  },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'r-drop',
  summary: 'Makes two passes with different dropout agree (Liang et al., 2021).',
  cost: 'one more forward pass, backward through both: about twice a plain step',
  options: {
    weight: { type: 'number', default: 1, doc: 'alpha: weight of the divergence; 0 is off' },
    reduction: {
      type: 'string',
      default: 'mean',
      doc: 'divergence averaged over the rows, or summed as the released BERT code does',
      choices: ['mean', 'reference'],
    },
  },
};
