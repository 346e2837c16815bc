import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  {
    with: 'hype',
    verdict: 'note',
    reason: 'Both passes get the same hidden noise, so the term does not measure it.',
  },
  {
    with: 'r3f',
    verdict: 'note',
    reason: 'Both reward stability under noise: LNSR of hidden states, R3F of outputs; three passes.',
  },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'lnsr',
  summary: 'Penalizes how far noise at one layer drives the layers above (Hua et al., 2021).',
  cost: 'one more forward and backward pass: twice a plain step',
  options: {
    weight: { type: 'number', default: 1, doc: 'lambda, of the drift of each layer; 0 is off' },
    scale: { type: 'number', default: 0.01, doc: 'deviation of the noise; 0 is off' },
    layer: {
      type: 'number',
      default: 0,
      doc: 'b, the layer whose input gets the noise, 0 nearest to the input',
    },
  },
};
