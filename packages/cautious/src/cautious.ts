import { defineMethod, mapTensors, OPTIMIZER_STAGE, z } from '@hypetune/core';
import { cautiousUpdate } from './formula.js';

/** Cautious updates (Liang et al., 2024): entries of the optimizer's update that go against the gradient are dropped. */
export const cautious = defineMethod({
  name: 'cautious',
  summary: "Drops the entries of the optimizer's update that go against the gradient at hand.",
  source: 'Liang et al., 2024',
  cost: 'no extra pass; one comparison and two products a weight and step',
  options: {
    floor: z.number().gt(0).max(1).default(1e-3).meta({
      description: 'the least share of kept entries that the rest is scaled up by; 1 does not scale',
      paper: '1e-3 in the released code',
    }),
  },
  pairs: {
    note: {
      'child-tuning': 'Entries whose gradient is masked to zero get no update at all.',
    },
  },
  apply({ name, hooks }, { floor }) {
    hooks.aroundUpdate.tap(
      { name, stage: OPTIMIZER_STAGE.WRAP },
      (update) => (gradients) =>
        mapTensors(update(gradients), (value, key) => cautiousUpdate(value, gradients[key]!, floor)),
    );
  },
});
