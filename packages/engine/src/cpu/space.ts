import type * as tf from '@tensorflow/tfjs-core';

type Attributes = Record<string, unknown>;

const triple = (sizes: unknown): readonly number[] =>
  typeof sizes === 'number' ? [sizes, sizes, sizes] : ((sizes ?? [1, 1, 1]) as number[]);

/**
 * The attributes of an operation on windows in space. Where windows do not reach the end of the image tfjs reckons a padding below zero of
 * `same`, and moves them: what needs no padding is `valid`.
 */
export function windowsInSpace(
  inputs: Readonly<Record<string, tf.TensorInfo | undefined>>,
  attributes: Attributes,
): Attributes {
  if (attributes['pad'] !== 'same') return attributes;
  const image = (inputs['x'] ?? inputs['input'])?.shape ?? (attributes['inputShape'] as number[]);
  const filter = inputs['filter']?.shape ?? attributes['filterShape'];
  const window = triple(attributes['filterSize'] ?? filter);
  const [strides, dilations] = [triple(attributes['strides']), triple(attributes['dilations'])];
  const paddings = [0, 1, 2].map((axis) => {
    const [size, stride] = [image[axis + 1]!, strides[axis]!];
    return (Math.ceil(size / stride) - 1) * stride + (window[axis]! - 1) * dilations[axis]! + 1 - size;
  });
  if (paddings.every((padding) => padding >= 0)) return attributes;
  if (paddings.every((padding) => padding <= 0)) return { ...attributes, pad: 'valid' };
  throw new Error(
    `Windows of [${window.slice(0, 3).join()}] with strides of [${strides.join()}] and padding "same" on an image of [${image.slice(1, 4).join()}]: ` +
      'this engine cannot pad one axis where windows do not reach the end of another. Pad the image with tf.pad and use "valid".',
  );
}
