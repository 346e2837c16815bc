import { defineMethod, z } from '@hypetune/core';
import { firstStep, groupOf } from './formula.js';

/** Gradual unfreezing (Howard and Ruder, 2018): the head trains first, layers join in from the top, the embedding last. */
export const gradualUnfreezing = defineMethod({
  name: 'gradual-unfreezing',
  summary: 'Trains the head first and lets the layers join in from the top, the embedding last.',
  source: 'Howard and Ruder, 2018',
  cost: 'no extra pass; cheaper while layers are frozen; steps are compiled anew for every group',
  options: {
    share: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe('share of the run after which everything trains, in equal parts; 0 is off'),
    every: z.int().min(1).optional().meta({
      description: 'updates until the next group joins in, instead of share',
      paper: 'an epoch',
    }),
    groupSize: z.int().min(1).default(1).meta({
      description: 'hidden layers that join in at once',
      paper: '1',
    }),
  },
  pairs: {
    note: {
      'lp-ft': 'Both freeze the body at first; a layer trains when both let it.',
      'top-k': 'What top-k freezes stays frozen.',
      'layer-decay': 'In the paper, as discriminative fine-tuning.',
      lora: 'A layer joins in with its adapters.',
    },
  },
  apply(host, { share, every, groupSize }) {
    if (share === 0) return;
    const layers = host.layers.length;
    const last = groupOf({ site: 'embedding', layer: undefined }, layers, groupSize);
    const interval = (total: number): number => every ?? (share * total) / last;
    host.addPhases((total) =>
      Array.from({ length: last + 1 }, (_, group) => firstStep(group, interval(total))),
    );
    host.hooks.shouldTrain.tap(host.name, (parameter, { step, total }) =>
      step < firstStep(groupOf(parameter, layers, groupSize), interval(total)) ? false : undefined,
    );
  },
});
