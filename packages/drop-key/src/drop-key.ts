import { ATTENTION_STAGE, defineMethod, z } from '@hypetune/core';
import { foldIn, randomBernoulli } from '@hypetune/ops';
import { dropKeys, layerRate } from './formula.js';

/** DropKey (Li et al., 2023): `softmax(q k^T / sqrt(d) + m)`, m hides a key from a query with the layer's drop ratio, training only. */
export const dropKey = defineMethod({
  name: 'drop-key',
  summary: 'Drops keys before the softmax of attention instead of probabilities after it.',
  source: 'Li et al., 2023',
  cost: "no extra pass; a draw and a few operations on every layer's scores, in place of attention dropout",
  options: {
    rate: z.number().min(0).lt(1).default(0.1).meta({
      description: 'drop ratio of a key, of the lowest layer; 0 is off',
      paper: 'for images; chosen by model',
    }),
    schedule: z.enum(['decreasing', 'constant']).default('decreasing').meta({
      description:
        'falling on a line from `rate` in the lowest layer towards 0 above the top one, or the same in all',
      paper: 'decreasing',
    }),
    attentionDropout: z.number().min(0).lt(1).default(0).meta({
      description: 'dropout rate of attention probabilities while training',
      paper: '0: DropKey replaces it',
    }),
  },
  pairs: {
    note: {
      'r-drop':
        'Each pass drops its own keys; they take the place of attention dropout as a source of difference.',
      'layer-drop': 'A skipped layer draws nothing that anybody sees.',
    },
  },
  apply(host, { rate, schedule, attentionDropout }) {
    if (rate === 0) return;
    const { name, hooks } = host;
    host.overrideDropout({ attention: attentionDropout });
    hooks.afterAttentionScores.tap({ name, stage: ATTENTION_STAGE.MASK }, (scores, layer, pass) => {
      if (!pass.training) return scores;
      const key = foldIn(pass.key, name, layer.index, layer.visit);
      const ratio = layerRate(rate, schedule, layer.index, layer.count);
      return dropKeys(scores, randomBernoulli(scores.shape, key, ratio));
    });
  },
});
