import { defineMethod, UPDATE_STAGE, z, type Updates } from '@hypetune/core';
import { annealings, recAdamUpdate, taskShare } from './formula.js';
import { checkStability } from './stability.js';

/** RecAdam (Chen et al., 2020): `w <- w + lambda(t) u - rate gamma (w' - lambda(t)) (w - w0)`, u Adam's update. */
export const recadam = defineMethod({
  name: 'recadam',
  summary: 'Anneals from recalling the pre-trained weights to learning the task, inside the update.',
  source: 'Chen et al., 2020',
  cost: 'no extra pass; a copy of the pre-trained weights',
  options: {
    weight: z.number().min(0).default(1).meta({
      description: "w', share of the objective that is annealed; 0 is off (plain AdamW)",
      paper: '1 for the encoder, 0 for the head',
    }),
    pull: z.number().min(0).default(5000).meta({
      description: 'gamma, strength of the pull to the pre-trained weights',
      paper: '5000',
    }),
    annealing: z.enum(annealings).default('sigmoid').meta({
      description: 'how the task takes over; constant has it all from the first step',
      paper: 'sigmoid',
    }),
    rate: z.number().min(0).default(0.5).meta({
      description: 'k, steepness of the sigmoid, a step',
      paper: 'script 0.5; grid .05 .1 .2 .5 1',
    }),
    midpoint: z.number().min(0).default(250).meta({
      description: 't0 in optimizer steps: half of the sigmoid, end of the line',
      paper: 'script 250; grid 100 250 500, large tasks 250 500 1000',
    }),
  },
  pairs: {
    warn: { 'l2-sp': 'Both pull the weights to the pre-trained ones; one is enough.' },
    note: { hype: 'Different hooks.' },
  },
  apply(host, options) {
    const { weight, pull, annealing } = options;
    if (weight === 0) return;
    if (annealing !== 'constant') checkStability(host, pull * weight);
    host.keepReference();
    host.hooks.beforeUpdate.tap({ name: host.name, stage: UPDATE_STAGE.PULL }, (updates, step) => {
      const share = taskShare(step.index, options);
      const changed: Record<string, Updates[string]> = { ...updates };
      for (const parameter of host.parameters) {
        const [update, reference] = [updates[parameter.name], host.reference(parameter)];
        if (!update || !reference) continue;
        const strength = step.learningRate(parameter) * pull * (weight - share);
        changed[parameter.name] = recAdamUpdate(update, host.value(parameter), reference, share, strength);
      }
      return changed;
    });
  },
});
