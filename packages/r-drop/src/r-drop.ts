import * as tf from '@tensorflow/tfjs-core';
import { defineMethod, divergenceOf, LOSS_STAGE, z } from '@hypetune/core';
import { disagreement } from './formula.js';

/** R-Drop (Liang et al., 2021): `L = CE_1 + CE_2 + weight / 2 * (KL(P_1||P_2) + KL(P_2||P_1))`, two dropout draws. */
export const rDrop = defineMethod({
  name: 'r-drop',
  summary: 'Makes two passes with different dropout agree.',
  source: 'Liang et al., 2021',
  cost: 'one more forward pass, backward through both: about twice a plain step',
  options: {
    weight: z.number().min(0).default(1).meta({
      description: 'alpha, weight of the divergence; 0 is off',
      paper: "fairseq code 1, BERT code 0.5; HyPe's grid .1, .5, 1",
    }),
    reduction: z.enum(['mean', 'reference']).default('mean').meta({
      description:
        'mean: divergence averaged over the rows; reference: summed, as the released BERT code does',
      paper: "BERT code: weight 0.5, reduction 'reference'",
    }),
  },
  pairs: {
    note: {
      mixout: 'Each pass mixes by its own mask, which the divergence then measures too.',
      neftune: 'NEFTune draws once a step, so both passes get the same noise.',
    },
  },
  apply(host, { weight, reduction }) {
    const { name, hooks } = host;
    if (weight === 0) return;
    const divergence = divergenceOf(host.task, name);
    host.needsDropout('there is no dropout: without another source of noise both passes are equal.');
    hooks.afterLoss.tap({ name, stage: LOSS_STAGE.REPLACE }, (terms, step) => {
      const { logits } = step.forward(name);
      const rows = disagreement(divergence, step.main.logits, logits, step.batch.labels, weight);
      const summed = reduction === 'reference' && step.task.kind !== 'values';
      return {
        ...terms,
        task: tf.add(terms['task']!, step.mean(step.rowLoss(logits))),
        [name]: summed ? step.sum(rows) : step.mean(rows),
      };
    });
  },
});
