import { ATTENTION_STAGE, defineMethod, HIDDEN_STAGE, z } from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import { chosenLayers, noises, perturb, sites, unitNoise } from './formula.js';

const STAGES = { input: HIDDEN_STAGE.NOISE, attention: ATTENTION_STAGE.NOISE };

/** HyPe (Yuan et al., 2023): `h_{l+1} = g_l(h_l + e_l)`, fresh noise e_l at the input of every layer, training only. */
export const hype = defineMethod({
  name: 'hype',
  summary: 'Adds small noise to the hidden state entering every layer.',
  source: 'Yuan et al., 2023',
  cost: 'no extra pass; one draw and one addition a layer',
  options: {
    scale: z.number().min(0).default(1e-5).meta({
      description: 'sigma: deviation (normal) or half width (uniform) of the noise; 0 is off',
      paper: 'best of 1e-4 and 1e-5; 1e-5 when combined',
    }),
    noise: z.enum(noises).default('normal').meta({
      description: 'normal, uniform, or uniform01, the one-sided U(0, scale) of the released code',
      paper: 'normal is HyPe-N, uniform HyPe-U',
    }),
    site: z.enum(sites).default('input').meta({
      description: 'where the noise acts: at the input of a layer, or on what its attention hands on',
      paper: 'input; attention is in the appendix',
    }),
    relative: z
      .boolean()
      .default(false)
      .describe(
        "scale times the root mean square of the row's hidden state, for layers that do not normalize",
      ),
    hiddenDropout: z.number().min(0).lt(1).optional().meta({
      description: "dropout rate of hidden states while training; the model's own unless given",
      paper: '0: HyPe replaces hidden dropout',
    }),
    topLayers: z.int().min(0).optional().meta({
      description: 'perturb the inputs of the top N layers only',
      paper: 'all is best (80.54; higher 6 of 24: 79.90)',
    }),
    lowLayers: z.int().min(0).optional().meta({
      description: 'perturb the inputs of the lowest N layers only; with the others, their union',
      paper: 'lower 6 of 24: 79.54',
    }),
    layers: z
      .array(z.int().min(0))
      .optional()
      .describe("perturb the inputs of these layers only, 0 nearest to the model's input"),
  },
  pairs: {
    note: {
      r3f: "In the paper: noise in r3f's noised pass only (its option `hype`).",
      'r-drop': 'In the paper: independent noise in both passes; keep attention dropout.',
      'child-tuning': 'In the paper, with the D variant; different hooks.',
      noisytune: 'In the paper: the weights are perturbed first, once.',
    },
  },
  apply(host, { scale, noise, site, relative, hiddenDropout, ...subset }) {
    const { name, hooks } = host;
    if (hiddenDropout !== undefined) host.overrideDropout({ hidden: hiddenDropout });
    if (scale === 0) return;
    const chosen = chosenLayers(subset, host.layers.length);
    if (chosen.size === 0) return;
    host.addsNoise('scale', scale);
    const hook = site === 'input' ? hooks.beforeLayerForward : hooks.afterAttention;
    hook.tap({ name, stage: STAGES[site] }, (hidden, layer, pass) => {
      if (!pass.training || !pass.perturb || !chosen.has(layer.index)) return hidden;
      const key = foldIn(pass.key, name, layer.index, layer.visit);
      return perturb(hidden, unitNoise(noise, hidden.shape, key), scale, relative);
    });
  },
});
