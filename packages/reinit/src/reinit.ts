import { defineMethod, HypetuneError, LOAD_STAGE, z } from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import { freshValue, isReset } from './formula.js';

/** Re-initialisation (Zhang et al., 2021): the top N hidden layers start from random values, kernels `N(0, deviation^2)`. */
export const reinit = defineMethod({
  name: 'reinit',
  summary: 'Starts the top N hidden layers from random values.',
  source: 'Zhang et al., 2021',
  cost: 'none after the start',
  options: {
    layers: z.int().min(0).default(1).meta({
      description: 'N, hidden layers that start anew, counted from the top',
      paper: 'chosen by task; 5 in the released RTE example',
    }),
    pooler: z.boolean().default(true).meta({
      description: 'start the pooler anew too, where the model has one',
      paper: 'true for BERT and RoBERTa',
    }),
    deviation: z.number().gt(0).default(0.02).meta({
      description: 'deviation of the new kernels',
      paper: '0.02',
    }),
  },
  pairs: {
    warn: {
      lora: 'Layers that start anew are frozen: they stay random but for their adapters.',
      'wise-ft': 'What is kept is averaged with the random values that layers start from.',
    },
    note: {
      recadam: 'The weights it pulls back to are those after re-initialising.',
      'l2-sp': 'The weights it pulls back to are those after re-initialising.',
      mixout: 'The weights it mixes in are those after re-initialising.',
      'top-k': 'Re-initialise no more layers than train, or random ones stay frozen.',
      'lp-ft': 'The head first learns on layers that are still random.',
      'gradual-unfreezing':
        'The head first learns on layers that are still random; they are the first to join in.',
    },
  },
  apply({ name, hooks, parameters, layers: { length } }, { layers, pooler, deviation }) {
    if (layers > length)
      throw new HypetuneError(
        `${name}: layers must be at most ${length}, the model's hidden layers, got ${layers}.`,
      );
    const chosen = parameters.filter((parameter) => isReset(parameter, length, layers, pooler));
    if (chosen.length === 0) return;
    hooks.afterLoad.tap({ name, stage: LOAD_STAGE.FRESH }, (weights, { key }) => {
      const changed = new Map(weights);
      for (const parameter of chosen)
        changed.set(parameter.name, freshValue(parameter, deviation, foldIn(key, name, parameter.name)));
      return changed;
    });
  },
});
