import { defineMethod, HypetuneError, WEIGHT_STAGE, z } from '@hypetune/core';
import { foldIn, randomBernoulli } from '@hypetune/ops';
import { gradients, isMixed, mixture } from './formula.js';

/** Mixout (Lee et al., 2020): kernels read as a random mixture of trained and pre-trained weights, training only. */
export const mixout = defineMethod({
  name: 'mixout',
  summary: 'Puts the pre-trained weights of random input features back, at every step.',
  source: 'Lee et al., 2020',
  cost: 'no extra pass; one weight-sized tensor a kernel and a copy of the pre-trained weights',
  options: {
    p: z.number().min(0).max(1).default(0.9).meta({
      description: 'share of input features whose weights are the pre-trained ones; 0 is off',
      paper: 'examples 0.9, grid 0.7 to 0.9',
    }),
    gradient: z.enum(gradients).default('exact').meta({
      description: 'exact: m / (1 - p); reference: m, as the released backward pass has it',
      paper: 'reference',
    }),
    mask: z.enum(['independent', 'shared']).default('independent').meta({
      description: 'independent: a mask for each pass; shared: one for all passes of a step',
      paper: 'a mask for each call',
    }),
    dropout: z.number().min(0).lt(1).optional().meta({
      description: "every dropout rate while training; the model's own unless given",
      paper: '0: Mixout replaces dropout',
    }),
  },
  pairs: {
    warn: {
      'child-tuning':
        'Both thin out the gradient: at p 0.9 and reserve 0.3 about 3% of the entries of a kernel move in a step.',
      recadam: 'Both hold the weights near the pre-trained ones; one is enough.',
      'l2-sp': 'Both hold the weights near the pre-trained ones; one is enough.',
    },
    note: {
      noisytune: 'The weights mixed in are those after the noise, so the first step is exact.',
      hype: 'Different hooks.',
    },
  },
  apply(host, { p, gradient, mask, dropout }) {
    const { name, hooks } = host;
    if (dropout !== undefined) host.overrideDropout({ hidden: dropout, attention: dropout });
    if (p === 0) return;
    if (!host.parameters.some((parameter) => isMixed(parameter) && parameter.pretrained))
      throw new HypetuneError(
        `${name}: the model has no pre-trained kernel to mix; it needs one below the head.`,
      );
    host.keepReference();
    hooks.afterWeightRead.tap({ name, stage: WEIGHT_STAGE.REPLACE }, (weight, parameter, pass) => {
      const reference = pass.training && isMixed(parameter) ? host.reference(parameter) : undefined;
      if (!reference) return weight;
      const key = foldIn(mask === 'shared' ? pass.stepKey : pass.key, name, parameter.name);
      return mixture(weight, reference, randomBernoulli([parameter.shape[0]!, 1], key, 1 - p), p, gradient);
    });
  },
});
