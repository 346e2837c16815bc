import {
  BACKWARD_STAGE,
  defineMethod,
  type Gradients,
  mapTensors,
  parameterState,
  type Step,
  WEIGHT_STAGE,
  z,
} from '@hypetune/core';
import * as tf from '@tensorflow/tfjs-core';
import { adaptiveOffsets, batchPart, offsets, runningMean, surrogateGradient } from './formula.js';

/** Lengths of the step that the papers use: SAM's, and ASAM's in units of each weight's size. */
const RADIUS = { plain: 0.05, adaptive: 0.5 };

/** SAM (Foret et al., 2021): the gradient at `w + e`, `e = rho * g / ||g||`, applied to w; and three of its variants. */
export const sam = defineMethod({
  name: 'sam',
  summary: 'Takes the gradient at the worst point near the weights.',
  source: 'Foret et al., 2021; Kwon et al., 2021; Zhuang et al., 2022; Li et al., 2024',
  cost: 'one more forward and backward pass: twice a plain step',
  options: {
    variant: z
      .enum(['sam', 'asam', 'gsam', 'friendly'])
      .default('sam')
      .describe(
        "sam; asam: the step up in units of each weight's size; gsam: also closes the gap between both losses; " +
          "friendly: steps up by the batch's own part of the gradient",
      ),
    radius: z
      .number()
      .min(0)
      .optional()
      .meta({
        description: `rho, length of the step up over all parameters; unless given ${RADIUS.plain}, asam ${RADIUS.adaptive}; 0 is off`,
        paper: '0.05; ASAM 0.5',
      }),
    eta: z.number().min(0).default(0.01).meta({
      description: 'asam: added to the size of a weight',
      paper: '0.01',
    }),
    alpha: z.number().min(0).default(0.4).meta({
      description: "gsam: weight of the gradient's part across that at the shifted weights",
      paper: 'script 0.4',
    }),
    sigma: z.number().min(0).default(1).meta({
      description: 'friendly: share of the running mean that is taken from the gradient before the step up',
      paper: '1',
    }),
    lambda: z.number().min(0).lt(1).default(0.9).meta({
      description: 'friendly: how slowly the running mean of the gradients moves',
      paper: 'code 0.9; scripts 0.6 and 0.95',
    }),
  },
  pairs: {
    note: {
      'child-tuning': 'The mask acts on the final gradient, not on the step up.',
      mixout: 'The step up moves the weights before they are mixed.',
    },
  },
  apply(
    host,
    { variant, radius = variant === 'asam' ? RADIUS.adaptive : RADIUS.plain, eta, alpha, sigma, lambda },
  ) {
    const { name, hooks } = host;
    if (radius === 0) return;
    const means =
      variant === 'friendly' ? parameterState(host, ({ shape }) => tf.zeros([...shape])) : undefined;

    // T of ASAM: biases have none.
    const sizes = ({ parameters }: Step): Gradients =>
      Object.fromEntries(
        parameters
          .filter((parameter) => !/(bias|beta)$/i.test(parameter.name))
          .map((parameter) => [parameter.name, tf.add(tf.abs(host.value(parameter)), eta)]),
      );
    // The step up of Friendly SAM, which moves the running means. A parameter's first gradient is its own mean.
    const friendly = (gradients: Gradients, step: Step): Gradients => {
      const first = new Set(
        step.parameters.flatMap((parameter) =>
          step.microbatch === 0 && step.age(parameter) === 1 ? [parameter.name] : [],
        ),
      );
      const own = mapTensors(gradients, (gradient, key) => {
        const mean = means!.get({ name: key });
        const part = batchPart(gradient, mean, sigma);
        means!.set({ name: key }, runningMean(mean, gradient, first.has(key) ? 0 : lambda));
        return part;
      });
      return offsets(own, radius);
    };

    let offset: Gradients | undefined;
    hooks.afterWeightRead.tap({ name, stage: WEIGHT_STAGE.OFFSET }, (weight, parameter, pass) => {
      const step = pass.training && offset?.[parameter.name];
      return step ? tf.add(weight, step) : weight;
    });
    hooks.aroundBackward.tap({ name, stage: BACKWARD_STAGE.SHARPNESS }, (gradient, step) => (options) => {
      const here = gradient(options);
      try {
        if (variant === 'asam') offset = adaptiveOffsets(here.gradients, sizes(step), radius);
        else if (variant === 'friendly') offset = friendly(here.gradients, step);
        else offset = offsets(here.gradients, radius);
        const there = gradient(options);
        const gradients =
          variant === 'gsam' ? surrogateGradient(here.gradients, there.gradients, alpha) : there.gradients;
        return { ...there, gradients, terms: here.terms };
      } finally {
        offset = undefined;
      }
    });
  },
});
