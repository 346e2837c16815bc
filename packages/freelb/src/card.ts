import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  {
    with: 'smart',
    verdict: 'warn',
    reason: 'Both search for the worst token vectors: many passes for one goal.',
  },
  {
    with: 'sam',
    verdict: 'note',
    reason: "SAM stands outside: each of its two gradients is FreeLB's average.",
  },
  { with: 'neftune', verdict: 'note', reason: 'Random and adversarial noise on the same vectors add up.' },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'freelb',
  summary: 'Averages the gradient over K steps of an attack on the token vectors (Zhu et al., 2020).',
  cost: 'K forward and backward passes: K times a plain step',
  options: {
    steps: { type: 'number', default: 3, doc: 'K, passes a step; 1 without magnitude is off' },
    rate: { type: 'number', default: 0.1, doc: 'length of each step up' },
    magnitude: { type: 'number', default: 0, doc: 'size of the random start, times sqrt(length * width)' },
    maxNorm: { type: 'number', default: 0, doc: 'longest perturbation of a row; 0 is any' },
  },
};
