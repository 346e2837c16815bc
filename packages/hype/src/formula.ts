import * as tf from '@tensorflow/tfjs-core';
import { detach, HypetuneError } from '@hypetune/core';
import { randomNormal, randomUniform, type Key } from '@hypetune/ops';

/** Shape of the noise: N(0, 1), U(-1, 1), or the one-sided U(0, 1) that the released code draws for "uniform". */
export const noises = ['normal', 'uniform', 'uniform01'] as const;
export type Noise = (typeof noises)[number];

/** Where the noise acts in a layer: on what enters it, or on what its attention hands on. */
export const sites = ['input', 'attention'] as const;

/** Which layers' inputs get noise, 0 nearest to the model's input; nothing given is every layer, several are their union, the top 0 none. */
export interface LayerSubset {
  readonly topLayers?: number | undefined;
  readonly lowLayers?: number | undefined;
  readonly layers?: readonly number[] | undefined;
}

/**
 * `h + sigma * unit`, for hidden states and unit noise of one shape; relative: `h + sigma * rms(h) * unit`, the root mean
 * square over the last axis, held constant.
 */
export function perturb(hidden: tf.Tensor, unit: tf.Tensor, scale: number, relative: boolean): tf.Tensor {
  const noise = tf.mul(unit, scale);
  if (!relative) return tf.add(hidden, noise);
  const size = detach(tf.sqrt(tf.mean(tf.square(hidden), -1, true)));
  return tf.add(hidden, tf.mul(noise, size));
}

/** Noise of unit strength, float32. */
export function unitNoise(noise: Noise, shape: number[], key: Key): tf.Tensor {
  return noise === 'normal'
    ? randomNormal(shape, key)
    : randomUniform(shape, key, noise === 'uniform' ? -1 : 0, 1);
}

/** Indices of the layers that a subset chooses out of `count`. Throws when it names one that is not there. */
export function chosenLayers(subset: LayerSubset, count: number): ReadonlySet<number> {
  const { topLayers = 0, lowLayers = 0, layers = [] } = subset;
  const isGiven = subset.topLayers !== undefined || subset.lowLayers !== undefined || layers.length > 0;
  const beyond = [...layers, topLayers - 1, lowLayers - 1].find((index) => index >= count);
  if (beyond !== undefined)
    throw new HypetuneError(
      `hype: the layer subset needs layer ${beyond}; the model's hidden layers are 0 to ${count - 1}.`,
    );
  const all = Array.from({ length: count }, (_, index) => index);
  const chosen = all.filter(
    (index) => index < lowLayers || index >= count - topLayers || layers.includes(index),
  );
  return new Set(isGiven ? chosen : all);
}
