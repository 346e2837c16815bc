import { defineMethod, z } from '@hypetune/core';
import { trains } from './formula.js';

/** Top-K tuning (Houlsby et al., 2019): the top K hidden layers and the head train, what lies below keeps its weights. */
export const topK = defineMethod({
  name: 'top-k',
  summary: 'Trains the top K hidden layers and the head, freezes the rest.',
  source: 'Houlsby et al., 2019',
  cost: 'no extra pass; frozen weights need no gradient, moments or decay',
  options: {
    layers: z.int().min(0).default(3).meta({
      description:
        'K, hidden layers that train, counted from the top; 0 trains the head alone, one more than the model has is off',
      paper: 'not given in the sources we have; 3 is our choice',
    }),
  },
  pairs: {
    note: {
      hype: 'Noise below the trained layers still acts in the forward pass.',
      'child-tuning': 'Its percentile counts the trained parameters only.',
    },
  },
  apply(host, { layers }) {
    const count = host.layers.length;
    if (layers > count) host.warn(`layers ${layers} of a model with ${count} hidden layers freezes nothing.`);
    else
      host.hooks.shouldTrain.tap(host.name, (parameter) =>
        trains(parameter, layers, count) ? undefined : false,
      );
  },
});
