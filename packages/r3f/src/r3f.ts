import * as tf from '@tensorflow/tfjs-core';
import { defineMethod, detach, divergenceOf, HIDDEN_STAGE, LOSS_STAGE, variantOf, z } from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import { consistency, embeddingNoise, noises } from './formula.js';
import { constrainHead } from './spectral-norm.js';

/** R3F (Aghajanyan et al., 2021): `L = L_task(f(x)) + weight * KL_S(f(x), f(x + z))`, z on the token vectors. */
export const r3f = defineMethod({
  name: 'r3f',
  summary: 'Keeps the output steady under small noise on the token vectors.',
  source: 'Aghajanyan et al., 2021',
  cost: 'one more forward pass, backward through both: about twice a plain step',
  options: {
    weight: z.number().min(0).default(1).meta({
      description: 'lambda, weight of the consistency term; 0 is off',
      paper: 'code 1; its RTE recipe 0.7; HyPe: .1, .5, 1',
    }),
    scale: z.number().min(0).default(1e-5).meta({
      description: 'half width (uniform) or deviation (normal) of the noise',
      paper: '1e-5',
    }),
    noise: z.enum(noises).default('uniform').meta({
      description: 'kind of noise',
      paper: 'sentences uniform, translation normal',
    }),
    hype: z.enum(['noised', 'both', 'main']).default('noised').meta({
      description: 'which passes get the hidden noise of other plugins (HyPe)',
      paper: 'HyPe paper: noised',
    }),
    dropout: z.enum(['independent', 'shared']).default('independent').meta({
      description: "independent: the noised pass draws its own dropout; shared: the main pass's draws",
      paper: 'independent',
    }),
    table: z.enum(['detached', 'attached']).default('detached').meta({
      description: 'detached: the token table learns from the clean pass alone; attached: from both',
      paper: 'sentences detached, translation attached',
    }),
    spectralNorm: z.boolean().default(false).meta({
      description: "divide the head's last kernel by its spectral norm: R4F",
      paper: 'R4F',
    }),
  },
  pairs: {
    warn: {
      'r-drop': 'Both compare two passes of the same rows: three forward passes a step for one idea.',
    },
    note: {
      mixout:
        "Each pass mixes by its own mask unless mixout's `mask` is 'shared'; the term then measures masks, not noise.",
      sam: 'The power iteration of `spectralNorm` advances once a step, however many passes read the head.',
    },
  },
  apply(host, { weight, scale, noise, hype, dropout, table, spectralNorm }) {
    const { name, hooks } = host;
    if (spectralNorm) constrainHead(host);
    if (weight === 0) return;
    const divergence = divergenceOf(host.task, name);
    if (scale < 1e-4) {
      const lost = `without dropout between the passes noise of ${scale} is lost in rounding; raise scale.`;
      if (dropout === 'shared') host.warn(lost);
      else host.needsDropout(lost);
    }
    host.addsNoise('scale', scale);
    if (hype === 'noised') host.perturbMainPass(false);
    // Before any noise: what others add to the vectors (FreeLB's perturbation) learns from this pass too.
    if (table === 'detached')
      hooks.afterEmbedding.tap({ name, stage: HIDDEN_STAGE.TRANSFORM }, (vectors, pass) =>
        pass.name === name ? detach(vectors) : vectors,
      );
    hooks.afterEmbedding.tap({ name, stage: HIDDEN_STAGE.NOISE }, (vectors, pass) =>
      pass.name === name
        ? tf.add(vectors, embeddingNoise(noise, vectors.shape, scale, foldIn(pass.key, name)))
        : vectors,
    );
    hooks.afterLoss.tap({ name, stage: LOSS_STAGE.CONSISTENCY }, (terms, step) => {
      const perturb = hype !== 'main';
      const noised = step.forward(name, dropout === 'shared' ? { perturb, like: 'main' } : { perturb });
      const rows = consistency(divergence, step.main.logits, noised.logits, step.batch.labels, weight);
      return { ...terms, [name]: step.mean(rows) };
    });
  },
});

/** R4F: R3F with the head's spectral norm held at 1. */
export const r4f = variantOf(
  r3f,
  { name: 'r4f', summary: "R3F with the head's weight divided by its spectral norm." },
  { spectralNorm: true },
);
