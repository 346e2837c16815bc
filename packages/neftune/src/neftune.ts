import { defineMethod, HIDDEN_STAGE, z } from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import { addNoise } from './formula.js';

/** NEFTune (Jain et al., 2023): token vectors `+ U(-1, 1) * alpha / sqrt(length * width)` while training. */
export const neftune = defineMethod({
  name: 'neftune',
  summary: 'Adds uniform noise to the token vectors, scaled by sequence size.',
  source: 'Jain et al., 2023',
  cost: 'no extra pass; one draw and one addition at the embedding',
  options: {
    alpha: z.number().min(0).default(5).meta({
      description: 'strength: half width of the noise times sqrt(length * width); 0 is off',
      paper: '5, 10, 15 by data set',
    }),
  },
  pairs: {
    note: {
      r3f: 'Both passes get the same noise, so the divergence does not measure it.',
      hype: 'Both perturb the input of the first layer; the noises add up.',
    },
  },
  apply({ name, hooks }, { alpha }) {
    if (alpha === 0) return;
    hooks.afterEmbedding.tap({ name, stage: HIDDEN_STAGE.NOISE }, (vectors, pass) =>
      pass.training && pass.kind !== 'probe' ? addNoise(vectors, alpha, foldIn(pass.stepKey, name)) : vectors,
    );
  },
});
