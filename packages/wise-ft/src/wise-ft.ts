import { defineMethod, EVALUATION_STAGE, HypetuneError, mapWeights, z } from '@hypetune/core';
import { interpolated } from './formula.js';

/** WiSE-FT (Wortsman et al., 2022): `(1 - alpha) w0 + alpha w` is measured, kept and saved, w0 the pre-trained weights. */
export const wiseFt = defineMethod({
  name: 'wise-ft',
  summary: 'Measures and keeps an interpolation between pre-trained and fine-tuned weights.',
  source: 'Wortsman et al., 2022',
  cost: 'no extra pass, nothing in a step; one copy of the pre-trained weights',
  options: {
    alpha: z.number().min(0).max(1).default(0.5).meta({
      description: 'share of the fine-tuned weights; 1 is off',
      paper: '0.5 where there is nothing to choose it by',
    }),
  },
  pairs: {
    note: {
      ema: 'The average is interpolated.',
      swa: 'The average is interpolated.',
    },
  },
  apply(host, { alpha }) {
    if (alpha === 1) return;
    const pretrained = host.parameters.filter((parameter) => parameter.pretrained);
    if (pretrained.length === 0)
      throw new HypetuneError(
        `${host.name}: the model has no pre-trained weight to interpolate with; it needs one below the head.`,
      );
    host.keepReference();
    const parameters = new Map(pretrained.map((parameter) => [parameter.name, parameter]));
    host.hooks.beforeEvaluation.tap({ name: host.name, stage: EVALUATION_STAGE.INTERPOLATE }, (weights) =>
      mapWeights(weights, (weight, name) => {
        const parameter = parameters.get(name);
        // One that the run does not train still is what it was, whatever was merged into its place.
        const reference = parameter && (host.reference(parameter) ?? host.value(parameter));
        return reference && weight !== reference ? interpolated(reference, weight, alpha) : weight;
      }),
    );
  },
});
