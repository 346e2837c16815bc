import { BACKWARD_STAGE, defineMethod, WEIGHT_STAGE, z, type Gradients } from '@hypetune/core';
import * as tf from '@tensorflow/tfjs-core';
import { adaptiveOffsets, offsets } from './formula.js';

/** Lengths of the step that the papers use: SAM's, and ASAM's in units of each weight's size. */
const RADIUS = { plain: 0.05, adaptive: 0.5 };

/** SAM (Foret et al., 2021): the gradient at `w + e`, `e = rho * g / ||g||`, applied to w. */
export const sam = defineMethod({
  name: 'sam',
  summary: 'Takes the gradient at the worst point near the weights.',
  source: 'Foret et al., 2021',
  cost: 'one more forward and backward pass: twice a plain step',
  options: {
    radius: z
      .number()
      .min(0)
      .optional()
      .meta({
        description: `rho, length of the step up over all parameters; unless given ${RADIUS.plain}, adaptive ${RADIUS.adaptive}; 0 is off`,
        paper: '0.05 (ASAM 0.5)',
      }),
    adaptive: z.boolean().default(false).describe("measure the step in units of each weight's size (ASAM)"),
  },
  pairs: {
    note: {
      'child-tuning': 'The mask acts on the final gradient, not on the step up.',
      mixout: 'The step up moves the weights before they are mixed.',
    },
  },
  apply(host, { adaptive, radius = adaptive ? RADIUS.adaptive : RADIUS.plain }) {
    const { name, hooks } = host;
    if (radius === 0) return;
    let offset: Gradients | undefined;
    const values = (): Gradients =>
      Object.fromEntries(host.parameters.map((parameter) => [parameter.name, host.value(parameter)]));
    hooks.afterWeightRead.tap({ name, stage: WEIGHT_STAGE.OFFSET }, (weight, parameter, pass) => {
      const step = pass.training && offset?.[parameter.name];
      return step ? tf.add(weight, step) : weight;
    });
    hooks.aroundBackward.tap({ name, stage: BACKWARD_STAGE.SHARPNESS }, (gradient) => (options) => {
      const here = gradient(options);
      try {
        offset = adaptive
          ? adaptiveOffsets(here.gradients, values(), radius)
          : offsets(here.gradients, radius);
        return { ...gradient(options), terms: here.terms };
      } finally {
        offset = undefined;
      }
    });
  },
});
