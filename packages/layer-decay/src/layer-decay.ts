import { defineMethod, z } from '@hypetune/core';
import { countings, depth } from './formula.js';

/** Layer-wise learning rates (Howard and Ruder, 2018): `rate * d^depth`, depth counted from the head down. */
export const layerDecay = defineMethod({
  name: 'layer-decay',
  summary: 'Lowers the learning rate layer by layer towards the input.',
  source: 'Howard and Ruder, 2018',
  cost: 'no extra pass; one multiplication of plain numbers a parameter',
  options: {
    decay: z.number().gt(0).max(1).default(0.95).meta({
      description: 'd, rate of a layer over that of the layer above it; 1 is off',
      paper: '0.95 (Zhang et al.); ELECTRA 0.8 small and base, 0.9 large',
    }),
    counting: z.enum(countings).default('revisit').meta({
      description: 'depth of the top layer: 1 (revisit) or 2 (electra, whose code skips one)',
      paper: 'each as released',
    }),
  },
  pairs: {
    note: {
      recadam: 'Its pull uses the rate of the parameter, so the lower layers are pulled less.',
      reinit: 'Re-initialised layers stand at the top, where the rate is highest: a good pair.',
      'top-k': 'Freezing is the limit of decaying; frozen layers have no rate.',
    },
  },
  apply({ name, hooks, layers }, { decay, counting }) {
    if (decay === 1) return;
    hooks.afterSchedule.tap(
      name,
      (rate, parameter) => rate * decay ** depth(parameter, layers.length, counting),
    );
  },
});
