import { defineMethod, HIDDEN_STAGE, HypetuneError, z } from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { drawOrder, drawPartners, drawShare } from './draw.js';
import { blend } from './formula.js';

/** Hidden mixup (TMix: Chen et al., 2020): `h = s h_a + (1 - s) h_b` after one layer, labels alike. */
export const hiddenMixup = defineMethod({
  name: 'hidden-mixup',
  summary: 'Mixes the hidden states and labels of pairs of rows.',
  source: 'TMix: Chen et al., 2020',
  cost: 'no extra pass; one gather and one mix a layer',
  options: {
    alpha: z.number().min(0).default(0.75).meta({
      description: 'of Beta(alpha, alpha), the share; small mixes rarely evenly, large always; 0 is off',
      paper: '0.75 in the code, 16 in its recipe',
    }),
    layers: z.array(z.int().min(0)).optional().meta({
      description:
        'layers one of which mixes its output in each batch, 0 nearest to the input; every one unless given',
      paper: '6, 8, 11 of 12 in the recipe (there 7, 9, 12, from 1)',
    }),
  },
  pairs: {
    note: {
      r3f: 'Both passes see the same mixed batch.',
      'r-drop': 'Both passes see the same mixed batch.',
      'layer-drop': 'A skipped layer still mixes what it hands on, as labels are mixed too.',
    },
  },
  apply({ name, hooks, layers: { length } }, { alpha, layers = [] }) {
    const beyond = layers.find((layer) => layer >= length);
    if (beyond !== undefined || length === 0)
      throw new HypetuneError(
        `${name}: layers must name hidden layers of the model, 0 to ${length - 1}, got ${beyond}.`,
      );
    if (alpha === 0) return;
    const places = layers.length > 0 ? layers : Array.from({ length }, (_, index) => index);
    // Every place mixes at every step, all but one with a share of 1: a compiled step then stays the same.
    let partners: tf.Tensor1D;
    let shares: ReadonlyMap<number, tf.Scalar> | undefined;
    hooks.beforeBatch.tap(name, (batch, step) => {
      const key = foldIn(step.key, name);
      const [chosen] = drawOrder(places.length, foldIn(key, 'layer'));
      const share = drawShare(alpha, foldIn(key, 'share'));
      partners = tf.tensor1d(drawPartners(batch.indices, foldIn(key, 'order')), 'int32');
      shares = new Map(places.map((layer, place) => [layer, tf.scalar(place === chosen ? share : 1)]));
      // A row's weight too: with a task of tokens it is the number of those that count.
      const mixed = tf.scalar(share);
      return {
        ...batch,
        labels: blend(batch.labels, partners, mixed),
        weights: blend(batch.weights, partners, mixed),
      };
    });
    hooks.afterLayerForward.tap({ name, stage: HIDDEN_STAGE.TRANSFORM }, (hidden, layer, pass) => {
      const share = pass.training && layer.visit === 0 ? shares?.get(layer.index) : undefined;
      return share ? blend(hidden, partners, share) : hidden;
    });
    hooks.onFitEnd.tap(name, () => (shares = undefined));
  },
});
