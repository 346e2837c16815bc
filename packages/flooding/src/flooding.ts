import { defineMethod, z } from '@hypetune/core';
import { flooded } from './formula.js';

/** Flooding (Ishida et al., 2020): the loss J becomes `|J - b| + b`, so that a batch below the level b is unlearned. */
export const flooding = defineMethod({
  name: 'flooding',
  summary: 'Keeps the training loss near a level above zero.',
  source: 'Ishida et al., 2020',
  cost: 'no extra pass; three operations on one number',
  options: {
    level: z.number().min(0).default(0.05).meta({
      description:
        'b: the loss, terms of other plugins included, below which the gradient turns round; 0 is off',
      paper: 'chosen on validation data',
    }),
  },
  pairs: {
    note: {
      'r-drop': 'Its task term is the sum of two passes: double the level.',
      sam: 'Both gradients turn round together where the loss at the weights and at the shifted ones is below.',
      freelb: 'Each pass is flooded by its own loss.',
    },
  },
  apply({ name, hooks }, { level }) {
    if (level === 0) return;
    hooks.beforeBackward.tap(name, (total) => flooded(total, level));
  },
});
