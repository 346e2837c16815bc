import { defineMethod, HIDDEN_STAGE, z } from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import type { Tensor } from '@tensorflow/tfjs-core';
import { skipOrKeep } from './formula.js';

/** LayerDrop (Fan et al., 2020): each hidden layer is skipped as a whole with probability p while training. */
export const layerDrop = defineMethod({
  name: 'layer-drop',
  summary: 'Skips whole hidden layers at random while training.',
  source: 'Fan et al., 2020',
  cost: 'no extra pass; one elementwise choice a layer (a skipped layer is still computed)',
  options: {
    rate: z.number().min(0).lt(1).default(0.2).meta({
      description: 'p, probability that a layer is skipped in a pass; 0 is off',
      paper: '0.2 in the released models; 0 is the code default',
    }),
  },
  pairs: {
    warn: { r3f: 'The passes skip different layers: the divergence measures that, not the noise.' },
    note: {
      hype: 'A skipped layer passes on what entered it before the noise.',
      lnsr: 'Its second pass skips the same layers as the main pass; a skipped layer hands its noise on.',
      'r-drop': 'The two passes skip different layers, so the divergence measures that too.',
    },
  },
  apply(host, { rate }) {
    const { name, hooks } = host;
    if (rate === 0) return;
    let before: Tensor | undefined;
    hooks.beforeLayerForward.tap({ name, stage: HIDDEN_STAGE.ENTER }, (hidden) => (before = hidden));
    hooks.afterLayerForward.tap({ name, stage: HIDDEN_STAGE.SKIP }, (after, layer, pass) => {
      if (!pass.training || !before) return after;
      if (String(before.shape) === String(after.shape))
        return skipOrKeep(before, after, rate, foldIn(pass.key, name, layer.index, layer.visit));
      host.warn(
        `hidden layer ${layer.index} is never skipped: it turns [${String(before.shape)}] into [${String(after.shape)}].`,
      );
      return after;
    });
  },
});
