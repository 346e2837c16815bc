import * as tf from '@tensorflow/tfjs-core';
import { float } from './harness.js';
import type { Case, Input } from './harness.js';

type Image = tf.Tensor4D;

/** Images, filters and strides where some windows do not reach the end of the image. */
const gaps: [Input, number[], [number, number]][] = [
  [float([2, 8, 6, 3]), [1, 1], [2, 2]],
  [float([3, 6, 5, 3]), [3, 1], [2, 3]],
  [float([1, 4, 7, 1]), [2, 2], [4, 3]],
];

/** Convolutions and resizing of images of all shapes. */
export const windowCases: Case[] = [
  ...gaps.flatMap(([image, [height, width], strides]): Case[] => {
    const channels = image.shape[3]!;
    const name = `of [${image.shape.join()}] by [${height}, ${width}], strides ${strides.join()}`;
    const filter = float([height!, width!, channels, 4], -1, 1, 5);
    const square = float([height!, height!, channels, 2], -1, 1, 5);
    return [
      {
        name: `conv2d ${name}`,
        inputs: [image, filter],
        run: (x, w) => tf.conv2d(x! as Image, w! as Image, strides, 'same'),
      },
      {
        name: `fused conv2d ${name}`,
        inputs: [image, filter],
        run: (x, w) =>
          tf.fused.conv2d({
            x: x! as Image,
            filter: w! as Image,
            strides,
            pad: 'same',
            activation: 'relu',
          }),
      },
      {
        name: `depthwiseConv2d ${name}`,
        inputs: [image, square],
        run: (x, w) => tf.depthwiseConv2d(x! as Image, w! as Image, strides, 'same'),
      },
    ];
  }),
  {
    // As tfjs-layers gives it.
    name: 'depthwiseConv2d with null for dilations',
    inputs: [float([1, 5, 4, 2]), float([3, 3, 2, 1], -1, 1, 5)],
    run: (x, w) => tf.depthwiseConv2d(x! as Image, w! as Image, 2, 'same', 'NHWC', null as never),
    gradient: false,
  },
  {
    name: 'conv3d, padded, of a space that is no cube',
    inputs: [float([2, 4, 5, 3, 3]), float([2, 2, 2, 3, 4], -1, 1, 5)],
    run: (x, w) => tf.conv3d(x! as tf.Tensor5D, w! as tf.Tensor5D, [1, 2, 1], 'same'),
  },
  {
    name: 'windows in space that do not reach the end',
    inputs: [float([2, 4, 6, 5, 3]), float([1, 1, 2, 3, 4], -1, 1, 5)],
    run: (image, w) => {
      const x = image! as tf.Tensor5D;
      return [
        tf.conv3d(x, w! as tf.Tensor5D, [2, 3, 3], 'same'),
        tf.maxPool3d(x, 1, [1, 2, 3], 'same'),
        tf.avgPool3d(x, 1, [1, 2, 3], 'same'),
      ];
    },
  },
  ...(['constant', 'reflect', 'wrap', 'nearest'] as const).map((fill): Case => ({
    name: `image.transform, outside ${fill}`,
    inputs: [float([2, 4, 5, 1])],
    run: (x) =>
      tf.image.transform(x! as Image, tf.tensor2d([[1, 0.2, 0.3, 0.1, 1, -0.4, 0, 0]]), 'bilinear', fill),
    gradient: false,
  })),
  ...(['resizeBilinear', 'resizeNearestNeighbor'] as const).flatMap((name) =>
    (['starts', 'ends', 'centers'] as const).flatMap((aligned) =>
      (
        [
          [float([2, 4, 5, 3]), [9, 3]],
          [float([1, 6, 4, 2]), [3, 7]],
          [float([2, 1, 1, 3]), [3, 4]],
          [float([2, 7, 2, 1]), [1, 1]],
        ] as const
      ).map(([image, size]): Case => {
        const shape = image.shape.join();
        return {
          name: `${name} of [${shape}] to [${size.join()}], aligned by the pixels' ${aligned}`,
          inputs: [image],
          run: (x) => tf.image[name](x! as Image, [...size], aligned === 'ends', aligned === 'centers'),
        };
      }),
    ),
  ),
];
