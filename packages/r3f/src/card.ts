import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  {
    with: 'r-drop',
    verdict: 'warn',
    reason: 'Both compare two passes of the same rows: three forward passes a step for one idea.',
  },
  {
    with: 'mixout',
    verdict: 'note',
    reason:
      "Each pass mixes by its own mask unless mixout's `mask` is 'shared'; the term then measures masks, not noise.",
  },
  {
    with: 'sam',
    verdict: 'note',
    reason: 'The power iteration of `spectralNorm` advances once a step, however many passes read the head.',
  },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'r3f',
  summary: 'Keeps the output steady under small noise on the token vectors (Aghajanyan et al., 2021).',
  cost: 'one more forward pass, backward through both: about twice a plain step',
  options: {
    weight: { type: 'number', default: 1, doc: 'lambda: weight of the consistency term; 0 is off' },
    scale: { type: 'number', default: 1e-5, doc: 'half width (uniform) or deviation (normal) of the noise' },
    noise: { type: 'string', default: 'uniform', doc: 'kind of noise', choices: ['uniform', 'normal'] },
    hype: {
      type: 'string',
      default: 'noised',
      doc: 'which passes get the hidden noise of other plugins (HyPe)',
      choices: ['noised', 'both', 'main'],
    },
    dropout: {
      type: 'string',
      default: 'independent',
      doc: "dropout draws of the noised pass: its own, or the main pass's",
      choices: ['independent', 'shared'],
    },
    table: {
      type: 'string',
      default: 'detached',
      doc: 'whether the noised pass sends a gradient to the token table',
      choices: ['detached', 'attached'],
    },
    spectralNorm: {
      type: 'boolean',
      default: false,
      doc: "divide the head's weight by its spectral norm: R4F",
    },
  },
};
