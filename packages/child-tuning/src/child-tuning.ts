import type * as tf from '@tensorflow/tfjs-core';
import { defineMethod, GRADIENT_STAGE, HypetuneError, mapTensors, z } from '@hypetune/core';
import { foldIn, randomBernoulli } from '@hypetune/ops';
import { fixMasks } from './fisher.js';
import { thinned } from './formula.js';

/** Child-Tuning (Xu et al., 2021): `g <- g * m`, m drawn each step (F, divided by p) or fixed before training (D). */
export const childTuning = defineMethod({
  name: 'child-tuning',
  summary: 'Lets only a part of the weights learn: at random (F) or those that matter to the task (D).',
  source: 'Xu et al., 2021',
  cost: 'F: one draw a weight; D: one epoch of gradients before training, and a mask a weight',
  options: {
    mode: z.enum(['F', 'D']).default('D').meta({
      description: 'F: a new random mask each step; D: a fixed mask, the weights of most Fisher information',
      paper: 'script D',
    }),
    reserve: z.number().gt(0).max(1).default(0.3).meta({
      description: 'p, share of the weights that learn; 1 is off',
      paper: 'script 0.3; grids F .2 .3 .4, D .1 .2 .3',
    }),
    rescale: z.boolean().optional().meta({
      description: 'divide what is left by p; unless given, F does and D does not',
      paper: 'the same',
    }),
    fisherClip: z.number().min(0).default(1).meta({
      description: "D: largest norm of each tensor's gradient in the Fisher pass; 0 is any",
      paper: "the run's clipping norm, 1",
    }),
  },
  pairs: {
    note: {
      freelb: 'The averaged gradient is masked, once.',
      'l2-sp': 'Coupled, the penalty is masked with the gradient; decoupled, it is not.',
      recadam: 'The pull is not masked.',
    },
  },
  apply(host, { mode, reserve, rescale = mode === 'F', fisherClip }) {
    const { name, hooks, tensors: masks } = host;
    if (reserve === 1) return;
    if (mode === 'D' && host.layers.length === 0)
      throw new HypetuneError(`${name}: mode D masks hidden layers and the model has none; use mode 'F'.`);
    if (mode === 'D') hooks.onFitStart.tapPromise(name, (run) => fixMasks(host, run, reserve, fisherClip));
    hooks.afterBackward.tap({ name, stage: GRADIENT_STAGE.MASK }, (gradients, step) => {
      const draw = (shape: number[], weight: string): tf.Tensor =>
        randomBernoulli(shape, foldIn(step.key, name, weight), reserve);
      return mapTensors(gradients, (gradient, weight) => {
        const mask = mode === 'F' ? draw(gradient.shape, weight) : masks.get(weight);
        return mask ? thinned(gradient, mask, rescale ? 1 / reserve : 1) : gradient;
      });
    });
  },
});
