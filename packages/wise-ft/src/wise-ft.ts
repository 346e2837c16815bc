import { copyOf, defineMethod, EVALUATION_STAGE, HypetuneError, mapWeights, z } from '@hypetune/core';
import { interpolated } from './formula.js';

/** What a run changes without training it: the statistics of batch normalization. */
const MOVING = /moving_(mean|variance)$/;

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
    const statistics = pretrained.filter(({ name }) => MOVING.test(name));
    host.hooks.onFitStart.tap(host.name, () => {
      for (const parameter of statistics)
        if (!host.tensors.get(parameter.name))
          host.tensors.set(parameter.name, copyOf(host.value(parameter)));
    });
    const parameters = new Map(pretrained.map((parameter) => [parameter.name, parameter]));
    host.hooks.beforeEvaluation.tap({ name: host.name, stage: EVALUATION_STAGE.INTERPOLATE }, (weights) =>
      mapWeights(weights, (weight, name) => {
        const parameter = parameters.get(name);
        // One that the run does not train still is what it was, whatever was merged into its place.
        const reference =
          parameter && (host.reference(parameter) ?? host.tensors.get(name) ?? host.value(parameter));
        return reference && weight !== reference ? interpolated(reference, weight, alpha) : weight;
      }),
    );
  },
});
