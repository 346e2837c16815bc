import * as tf from '@tensorflow/tfjs-core';
import { defineMethod, parameterState, replaceOptimizer, z } from '@hypetune/core';
import { lionStep } from './formula.js';

/** Lion (Chen et al., 2023): `w <- w - rate (sign(beta1 m + (1 - beta1) g) + decay w); m <- beta2 m + (1 - beta2) g`. */
export const lion = defineMethod({
  name: 'lion',
  summary: 'Takes the place of AdamW: steps by the sign of a momentum, of one size for every weight.',
  source: 'Chen et al., 2023',
  cost: 'no extra pass; one state tensor a weight instead of two',
  options: {
    beta1: z.number().min(0).lt(1).default(0.9).meta({
      description: 'share of the momentum in the step',
      paper: '0.9; 0.95 for stability',
    }),
    beta2: z.number().min(0).lt(1).default(0.99).meta({
      description: 'share of the momentum that stays',
      paper: '0.99; 0.98 for stability',
    }),
  },
  pairs: {
    error: { adafactor: 'Both take the place of AdamW; keep one.' },
    warn: {
      recadam: "Its pull is tuned to Adam's steps, not to steps of one size.",
    },
    note: { cautious: 'Masks entries of the step that go against the gradient (C-Lion).' },
  },
  apply(host, { beta1, beta2 }) {
    const momenta = parameterState(host, ({ shape }) => tf.zeros([...shape]));
    replaceOptimizer(host, (parameter, gradient, step) => {
      const { direction, momentum } = lionStep(gradient, momenta.get(parameter), beta1, beta2);
      momenta.set(parameter, momentum);
      return tf.mul(direction, -step.learningRate(parameter));
    });
  },
});
