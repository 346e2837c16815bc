import { defineMethod, OPTIMIZER_STAGE, z } from '@hypetune/core';
import { projectedUpdate } from './formula.js';

/**
 * SPD, selective projection decay (Tian et al., 2024): where a weight's step goes on away from its start although the gradient
 * points back, the step's new deviation is taken back, `w' - weight r (w' - w0)`.
 */
export const spd = defineMethod({
  name: 'spd',
  summary:
    'Takes back the new deviation from the pre-trained weights where the gradient points back to them.',
  source: 'Tian et al., 2024',
  cost: 'no extra pass; two norms and a product a weight, and a copy of the pre-trained weights',
  options: {
    weight: z.number().min(0).default(1).meta({
      description: 'lambda: 1 takes the whole new deviation back, more goes nearer to the start; 0 is off',
      paper: 'the weight_decay of the released AdamSPD',
    }),
    fresh: z.enum(['free', 'origin']).default('free').meta({
      description: 'weights without a pre-trained value: left alone, or pulled towards zero',
      paper: 'adapters: zero; a new head: its starting value',
    }),
  },
  pairs: {
    warn: {
      recadam: 'Both pull towards the pre-trained weights.',
      'l2-sp': 'Both pull towards the pre-trained weights.',
    },
    note: {
      'child-tuning': 'A masked entry has no part in the condition; momentum still moves it.',
      cautious: "Cautious masks the optimizer's update, SPD judges the step that is left.",
      sam: 'The condition looks at the gradient at the shifted weights.',
      mixout: 'Both hold on to the pre-trained weights; Mixout in the passes, SPD in the update.',
    },
  },
  apply(host, { weight, fresh }) {
    if (weight === 0) return;
    host.keepReference();
    host.hooks.aroundUpdate.tap(
      { name: host.name, stage: OPTIMIZER_STAGE.PROJECT },
      (update, step) => (gradients) => {
        const updates = { ...update(gradients) };
        for (const parameter of step.parameters) {
          const { name } = parameter;
          const start = host.reference(parameter);
          if (!start && fresh === 'free') continue;
          updates[name] = projectedUpdate(
            updates[name]!,
            gradients[name]!,
            host.value(parameter),
            start,
            weight,
          );
        }
        return updates;
      },
    );
  },
});
