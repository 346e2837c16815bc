import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  {
    with: 'r3f',
    verdict: 'note',
    reason: 'Both passes get the same noise, so the divergence does not measure it.',
  },
  { with: 'hype', verdict: 'note', reason: 'Both perturb the input of the first layer; the noises add up.' },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'neftune',
  summary: 'Adds uniform noise to the token vectors, scaled by sequence size (Jain et al., 2023).',
  cost: 'no extra pass; one draw and one addition at the embedding',
  options: {
    alpha: {
      type: 'number',
      default: 5,
      doc: 'strength; half width of the noise times sqrt(length * width); 0 is off',
    },
  },
};
