import * as tf from '@tensorflow/tfjs-core';
import { defineMethod, LOAD_STAGE, mapWeights, z } from '@hypetune/core';
import { foldIn, randomUniform } from '@hypetune/ops';
import { noisyWeight } from './formula.js';

/** What a normalization measured of the data (BatchNormalization); no weight to disturb, and a variance must stay positive. */
const MOVING_STATISTIC = /moving_(mean|variance)$/;

/** NoisyTune (Wu et al., 2022): `W + U(-intensity / 2, intensity / 2) * std(W)` for each tensor, once before training. */
export const noisytune = defineMethod({
  name: 'noisytune',
  summary: 'Adds noise to the pre-trained weights once, before training.',
  source: 'Wu et al., 2022',
  cost: 'none',
  options: {
    intensity: z.number().min(0).default(0.15).meta({
      description: 'lambda, full width of the noise in deviations of each tensor; 0 is off',
      paper: '0.15 GLUE, 0.1 XTREME; HyPe .1 .15 .2',
    }),
  },
  pairs: {
    note: {
      recadam: 'The weights recalled are those after the noise, so the pull does not undo it.',
      'l2-sp': 'The pull is towards the weights after the noise.',
      reinit: 'Layers that start anew get no noise.',
    },
  },
  apply({ name, hooks }, { intensity }) {
    if (intensity === 0) return;
    hooks.afterLoad.tap({ name, stage: LOAD_STAGE.PRETRAINED }, (weights, { key }) =>
      mapWeights(weights, (weight, weightName) =>
        MOVING_STATISTIC.test(weightName)
          ? weight
          : tf.tidy(() => {
              const draw = randomUniform([...weight.shape], foldIn(key, name, weightName));
              return noisyWeight(weight, draw, intensity);
            }),
      ),
    );
  },
});
