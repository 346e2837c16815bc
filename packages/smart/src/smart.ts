import { defineMethod, HIDDEN_STAGE, LOSS_STAGE, z } from '@hypetune/core';
import { foldIn, randomNormal } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { distances, forms, heights, worst } from './formula.js';

/** SMART (Jiang et al., 2020): `loss + weight * KL_S(f(x + d), f(x))`, d found by climbing that divergence. */
export const smart = defineMethod({
  name: 'smart',
  summary: 'Asks for equal outputs at the worst point near the token vectors.',
  source: 'Jiang et al., 2020',
  cost: '1 + K more forward passes and 1 + K backward passes: about 3 times a plain step at K = 1',
  options: {
    weight: z.number().min(0).default(1).meta({ description: 'of the term; 0 is off', paper: '1' }),
    steps: z.int().min(1).default(1).meta({ description: 'K, steps up', paper: '1' }),
    rate: z.number().min(0).default(1e-3).meta({
      description: 'eta, length of a step',
      paper: '1e-3 (1e-5 in a released default)',
    }),
    start: z.number().min(0).default(1e-5).meta({
      description: 'sigma, deviation of the random start',
      paper: '1e-5',
    }),
    radius: z.number().min(0).default(1e-5).meta({
      description: 'epsilon, largest entry of the perturbation; form paper only',
      paper: '1e-5',
    }),
    form: z.enum(forms).default('paper').describe('paper, or reference: what the released code computes'),
  },
  pairs: {
    warn: { r3f: 'Both ask for equal outputs near the input: R3F at random, SMART at the worst point.' },
    note: { hype: 'Hidden noise is shared with the main pass and absent from the inner loop.' },
  },
  apply({ name, hooks }, options) {
    const { weight, start, form } = options;
    if (weight === 0) return;
    const draws = form === 'paper' ? { like: 'main' } : {};
    let delta: tf.Tensor | undefined;
    let shape: number[] = [];
    hooks.afterEmbedding.tap({ name, stage: HIDDEN_STAGE.NOISE }, (vectors, pass) => {
      if (pass.kind === 'main') shape = vectors.shape;
      return delta ? tf.add(vectors, delta) : vectors;
    });
    hooks.afterLoss.tap({ name, stage: LOSS_STAGE.CONSISTENCY }, (terms, step) => {
      const { logits: clean, pass } = step.main;
      const perturbed = (at: tf.Tensor, passName: string, kind: 'probe' | 'consistency'): tf.Tensor2D => {
        delta = at;
        try {
          return step.forward(passName, { kind, perturb: pass.perturb, ...draws }).logits;
        } finally {
          delta = undefined;
        }
      };
      const height = (at: tf.Tensor): tf.Scalar =>
        tf.sum(heights(form, step.task, perturbed(at, `${name}/probe`, 'probe'), clean));
      const found = worst(height, randomNormal(shape, foldIn(step.key, name), start), options);
      const rows = distances(form, step.task, perturbed(found, name, 'consistency'), clean);
      return { ...terms, [name]: tf.mul(step.mean(rows), weight) };
    });
  },
});
