import type { MethodInfo, PluginPair } from '@hypetune/core';
import { noises } from './formula.js';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  {
    with: 'r3f',
    verdict: 'note',
    reason: "In the paper: noise in r3f's noised pass only (its option `hype`).",
  },
  {
    with: 'r-drop',
    verdict: 'note',
    reason: 'In the paper: independent noise in both passes; keep attention dropout.',
  },
  { with: 'child-tuning', verdict: 'note', reason: 'In the paper, with the D variant; different hooks.' },
  { with: 'noisytune', verdict: 'note', reason: 'In the paper: the weights are perturbed first, once.' },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'hype',
  summary: 'Adds small noise to the hidden state entering every layer (Yuan et al., 2023).',
  cost: 'no extra pass; one draw and one addition a layer',
  options: {
    scale: {
      type: 'number',
      default: 1e-5,
      doc: 'deviation (normal) or half width (uniform) of the noise; 0 is off',
    },
    noise: { type: 'string', default: 'normal', doc: 'kind of noise', choices: noises },
    hiddenDropout: {
      type: 'number',
      default: undefined,
      doc: "hidden dropout while training; the paper's is 0",
    },
    topLayers: { type: 'number', default: undefined, doc: 'perturb the top N layers only' },
    lowLayers: { type: 'number', default: undefined, doc: 'perturb the lowest N layers only' },
    layers: {
      type: 'number[]',
      default: undefined,
      doc: 'perturb these layers only, 0 nearest to the input',
    },
  },
};
