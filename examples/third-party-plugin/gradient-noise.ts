import { defineMethod, type Gradients, mapTensors, z } from '@hypetune/core';
import { foldIn, type Key, randomNormal } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';

/** `g + N(0, deviation^2)` for every weight's gradient. */
export function noisy(gradients: Gradients, deviation: number, key: Key): Gradients {
  return mapTensors(gradients, (gradient, name) =>
    tf.add(gradient, randomNormal(gradient.shape, foldIn(key, name), deviation)),
  );
}

/** Gradient noise (Neelakantan et al., 2015): `g + N(0, variance / t^0.55)` at step t. */
export const gradientNoise = defineMethod({
  name: 'gradient-noise',
  summary: 'Adds fading Gaussian noise to the gradient.',
  source: 'Neelakantan et al., 2015',
  cost: 'no extra pass; one draw a weight',
  options: { variance: z.number().min(0).default(0.01).describe('of the first step; 0 is off') },
  apply({ name, hooks }, { variance }) {
    if (variance === 0) return;
    hooks.afterBackward.tap(name, (gradients, step) =>
      noisy(gradients, Math.sqrt(variance / step.index ** 0.55), foldIn(step.key, name)),
    );
  },
});
