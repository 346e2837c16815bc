import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  {
    with: 'child-tuning',
    verdict: 'warn',
    reason:
      'Both thin out the gradient: at p 0.9 and reserve 0.3 about 3% of the entries of a kernel move in a step.',
  },
  {
    with: 'recadam',
    verdict: 'warn',
    reason: 'Both hold the weights near the pre-trained ones; one is enough.',
  },
  {
    with: 'l2-sp',
    verdict: 'warn',
    reason: 'Both hold the weights near the pre-trained ones; one is enough.',
  },
  {
    with: 'noisytune',
    verdict: 'note',
    reason: 'The weights mixed in are those after the noise, so the first step is exact.',
  },
  { with: 'hype', verdict: 'note', reason: 'Different hooks.' },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'mixout',
  summary: 'Puts the pre-trained weights of random input features back, at every step (Lee et al., 2020).',
  cost: 'no extra pass; one weight-sized tensor a kernel and a copy of the pre-trained weights',
  options: {
    p: {
      type: 'number',
      default: 0.9,
      doc: 'share of input features whose weights are the pre-trained ones; 0 is off',
    },
    gradient: {
      type: 'string',
      default: 'exact',
      doc: 'exact derivative, or the released code, which forgets 1 / (1 - p)',
      choices: ['exact', 'reference'],
    },
    mask: {
      type: 'string',
      default: 'independent',
      doc: 'a mask for each pass, or one that the passes of a step share',
      choices: ['independent', 'shared'],
    },
    dropout: {
      type: 'number',
      default: undefined,
      doc: "every dropout rate while training; the source's is 0",
    },
  },
};
