import {
  defineMethod,
  HIDDEN_STAGE,
  HypetuneError,
  keepForGradient,
  LOSS_STAGE,
  tokenMask,
  z,
  type LayerInfo,
} from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { addNoise, drift } from './formula.js';

/** LNSR (Hua et al., 2021): `loss + lambda * sum_{r >= b} ||h_r(noise at b) - h_r||^2`. */
export const lnsr = defineMethod({
  name: 'lnsr',
  summary: 'Penalizes how far noise at one layer drives the layers above.',
  source: 'Hua et al., 2021',
  cost: 'one more forward and backward pass: twice a plain step',
  options: {
    weight: z.number().min(0).default(1).meta({
      description: 'lambda, of the drift of each layer from b up; 0 is off',
      paper: 'not known to us',
    }),
    scale: z.number().min(0).default(0.01).meta({
      description: 'deviation of the noise; 0 is off',
      paper: 'not known to us',
    }),
    layer: z.int().min(0).default(0).meta({
      description: "b, the layer whose input gets the noise, 0 nearest to the model's input",
      paper: 'not known to us',
    }),
  },
  pairs: {
    note: {
      hype: 'Both passes get the same hidden noise, so the term does not measure it.',
      r3f: 'Both reward stability under noise: LNSR of hidden states, R3F of outputs; three passes.',
    },
  },
  apply(host, { weight, scale, layer: lowest }) {
    const { name, hooks } = host;
    const { length } = host.layers;
    if (lowest >= length)
      throw new HypetuneError(
        `${name}: layer must be one of the model's hidden layers, 0 to ${length - 1}, got ${lowest}.`,
      );
    if (weight === 0 || scale === 0) return;
    host.addsNoise('scale', scale);
    const clean = new Map<string, tf.Tensor>();
    const drifts: tf.Tensor1D[] = [];
    let mask: tf.Tensor2D | undefined;
    const place = (layer: LayerInfo): string => `${layer.index}/${layer.visit}`;
    // At the state between layers: a layer that is skipped hands the noise on.
    hooks.beforeLayerForward.tap({ name, stage: HIDDEN_STAGE.TRANSFORM }, (hidden, layer, pass) =>
      pass.name === name && layer.index === lowest && layer.visit === 0
        ? addNoise(hidden, scale, foldIn(pass.key, name))
        : hidden,
    );
    hooks.afterLayerForward.tap({ name, stage: HIDDEN_STAGE.RECORD }, (hidden, layer, pass) => {
      if (layer.index < lowest) return hidden;
      if (pass.kind === 'main') clean.set(place(layer), keepForGradient(hidden));
      if (pass.name === name) drifts.push(keepForGradient(drift(hidden, clean.get(place(layer))!, mask)));
      return hidden;
    });
    hooks.afterLoss.tap({ name, stage: LOSS_STAGE.CONSISTENCY }, (terms, step) => {
      drifts.length = 0;
      mask = tokenMask(host, step.batch);
      step.forward(name, { like: 'main', perturb: step.main.pass.perturb });
      const term: tf.Scalar = tf.mul(step.mean(tf.addN(drifts)), weight);
      clean.clear();
      return { ...terms, [name]: term };
    });
  },
});
