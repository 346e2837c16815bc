import { defineMethod, divergenceOf, HIDDEN_STAGE, LOSS_STAGE, z } from '@hypetune/core';
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
    note: {
      hype: "Hidden noise is the main pass's, in the climb too; in form reference drawn anew and absent from the climb.",
    },
  },
  apply({ name, hooks, task }, options) {
    const { weight, start, form } = options;
    if (weight === 0) return;
    const divergence = divergenceOf(task, name);
    // The target is the main pass with its draws: the climb must see the same ones, or it climbs their difference.
    const shared = form === 'paper';
    let delta: tf.Tensor | undefined;
    let shape: number[] = [];
    hooks.afterEmbedding.tap({ name, stage: HIDDEN_STAGE.NOISE }, (vectors, pass) => {
      if (pass.kind === 'main') shape = vectors.shape;
      return delta ? tf.add(vectors, delta) : vectors;
    });
    hooks.afterLoss.tap({ name, stage: LOSS_STAGE.CONSISTENCY }, (terms, step) => {
      const { logits: clean, pass } = step.main;
      const perturbed = (at: tf.Tensor, passName: string, kind: 'probe' | 'consistency'): tf.Tensor => {
        delta = at;
        try {
          const perturb = pass.perturb && (shared || kind === 'consistency');
          return step.forward(passName, { kind, perturb, ...(shared && { like: 'main' }) }).logits;
        } finally {
          delta = undefined;
        }
      };
      const { labels } = step.batch;
      const height = (at: tf.Tensor): tf.Scalar =>
        tf.sum(divergence(perturbed(at, `${name}/probe`, 'probe'), clean, labels, heights[form]));
      const found = worst(height, randomNormal(shape, foldIn(step.key, name), start), options);
      const rows = divergence(perturbed(found, name, 'consistency'), clean, labels, distances[form]);
      return { ...terms, [name]: tf.mul(step.mean(rows), weight) };
    });
  },
});
