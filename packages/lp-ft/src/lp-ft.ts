import { defineMethod, type ParameterInfo, z } from '@hypetune/core';
import { headSteps, isHead } from './formula.js';

/** LP-FT (Kumar et al., 2022): linear probing, the head alone on fixed features, then fine-tuning of everything. */
export const lpFt = defineMethod({
  name: 'lp-ft',
  summary: 'Trains the head alone first, then everything.',
  source: 'Kumar et al., 2022',
  cost: 'no extra pass; the first part of the run is cheaper; steps are compiled once more',
  options: {
    share: z.number().min(0).max(1).default(0.2).meta({
      description: 'share of the run that trains the head alone; 0 is off, 1 is linear probing',
      paper: 'two runs, each to convergence',
    }),
    headRate: z.number().gt(0).default(10).meta({
      description: 'factor of the learning rate while the head trains alone',
      paper: 'a rate of its own, chosen by validation',
    }),
  },
  pairs: {
    note: {
      'top-k': 'What top-k freezes stays frozen.',
      lora: 'The adapters are frozen while the head trains alone.',
    },
  },
  apply(host, { share, headRate }) {
    if (share === 0) return;
    // What a plugin adds to a new pooler, as adapters are, is no part of the head.
    const own = new Set(host.parameters.map(({ name }) => name));
    const isTrained = (parameter: ParameterInfo): boolean =>
      isHead(parameter) && (parameter.site === 'head' || own.has(parameter.name));
    host.addPhases((total) => [headSteps(share, total) + 1]);
    host.hooks.shouldTrain.tap(host.name, (parameter, { step, total }) =>
      step <= headSteps(share, total) && !isTrained(parameter) ? false : undefined,
    );
    if (headRate === 1) return;
    host.hooks.afterSchedule.tap(host.name, (rate, _, { index, total }) =>
      index <= headSteps(share, total) ? rate * headRate : rate,
    );
  },
});
