import type { MethodInfo, PluginPair } from '@hypetune/core';
import { forms } from './formula.js';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  {
    with: 'r3f',
    verdict: 'warn',
    reason: 'Both ask for equal outputs near the input: R3F at random, SMART at the worst point.',
  },
  {
    with: 'hype',
    verdict: 'note',
    reason: 'Hidden noise is shared with the main pass and absent from the inner loop.',
  },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'smart',
  summary: 'Asks for equal outputs at the worst point near the token vectors (Jiang et al., 2020).',
  cost: '1 + K more forward passes and 1 + K backward passes: about 3 times a plain step at K = 1',
  options: {
    weight: { type: 'number', default: 1, doc: 'of the term; 0 is off' },
    steps: { type: 'number', default: 1, doc: 'K, steps up' },
    rate: { type: 'number', default: 1e-3, doc: 'eta, length of a step' },
    start: { type: 'number', default: 1e-5, doc: 'sigma, deviation of the random start' },
    radius: { type: 'number', default: 1e-5, doc: 'epsilon, largest entry of the perturbation (form paper)' },
    form: {
      type: 'string',
      default: 'paper',
      doc: 'the algorithm as published or as released',
      choices: forms,
    },
  },
};
