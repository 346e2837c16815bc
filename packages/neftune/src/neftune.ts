import { defineMethod, HIDDEN_STAGE, tokenMask, z } from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import type * as tf from '@tensorflow/tfjs-core';
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
    length: z.enum(['padded', 'real']).default('padded').meta({
      description:
        "length in the scale: of the padded batch, padding included; or of each row's tokens, padding left alone",
      paper: 'README and ports: padded; training script: real',
    }),
  },
  pairs: {
    note: {
      r3f: 'Both passes get the same noise, so the divergence does not measure it.',
      hype: 'Both perturb the input of the first layer; the noises add up.',
    },
  },
  apply(host, { alpha, length }) {
    const { name, hooks } = host;
    if (alpha === 0) return;
    let mask: tf.Tensor2D | undefined;
    if (length === 'real')
      hooks.beforeBatch.tap(name, (batch) => {
        mask = tokenMask(host, batch);
        return batch;
      });
    hooks.afterEmbedding.tap({ name, stage: HIDDEN_STAGE.NOISE }, (vectors, pass) =>
      pass.training ? addNoise(vectors, alpha, foldIn(pass.stepKey, name), mask) : vectors,
    );
  },
});
