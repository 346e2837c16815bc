import type { MethodInfo, PluginPair } from '@hypetune/core';
import { countings } from './formula.js';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  {
    with: 'recadam',
    verdict: 'note',
    reason: 'Its pull uses the rate of the parameter, so the lower layers are pulled less.',
  },
  {
    with: 'reinit',
    verdict: 'note',
    reason: 'Re-initialised layers stand at the top, where the rate is highest: a good pair.',
  },
  {
    with: 'top-k',
    verdict: 'note',
    reason: 'Freezing is the limit of decaying; frozen layers have no rate.',
  },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'layer-decay',
  summary: 'Lowers the learning rate layer by layer towards the input (Howard and Ruder, 2018).',
  cost: 'no extra pass; one multiplication of plain numbers a parameter',
  options: {
    decay: {
      type: 'number',
      default: 0.95,
      doc: 'd, rate of a layer over that of the layer above; 1 is off',
    },
    counting: {
      type: 'string',
      default: 'revisit',
      doc: 'exponent of the top layer: 1 (revisit) or 2 (electra)',
      choices: countings,
    },
  },
};
