import * as tf from '@tensorflow/tfjs-core';
import { float, int } from './harness.js';
import type { Case } from './harness.js';

const products: [number[], number[], boolean, boolean][] = [
  [[3, 4], [4, 5], false, false],
  [[4, 3], [4, 5], true, false],
  [[3, 4], [5, 4], false, true],
  [[4, 3], [5, 4], true, true],
  [[70, 65], [65, 33], false, false],
  [[2, 3, 4], [2, 4, 5], false, false],
  [[2, 4, 3], [2, 5, 4], true, true],
  [[2, 3, 3, 4], [2, 3, 5, 4], false, true],
  [[2, 3, 4], [1, 4, 5], false, false],
  [[1, 3, 4], [6, 4, 5], false, false],
  [[1, 1], [1, 1], false, false],
];

const pooled = float([2, 6, 6, 3]);
type Image = tf.Tensor4D;

/** Matrix products, convolutions, pooling, normalization, images and losses. */
export const productCases: Case[] = [
  ...products.map(([a, b, transposeA, transposeB]) => ({
    name: `matMul [${a.join()}]${transposeA ? "'" : ''} [${b.join()}]${transposeB ? "'" : ''}`,
    inputs: [float(a), float(b, -1, 1, 5)],
    run: (x: tf.Tensor | undefined, y: tf.Tensor | undefined) => tf.matMul(x!, y!, transposeA, transposeB),
    // tfjs-core has no gradient for broadcast matrices.
    gradient: a[0] === b[0] || a.length === 2,
  })),
  {
    name: 'matMul of no columns',
    inputs: [float([3, 0]), float([0, 2])],
    run: (x, y) => tf.matMul(x!, y!),
    gradient: false,
  },
  {
    name: 'matMul of no rows',
    inputs: [float([0, 3]), float([3, 2])],
    run: (x, y) => tf.matMul(x!, y!),
    gradient: false,
  },
  { name: 'matMul int32', inputs: [int([3, 4]), int([4, 2])], run: (x, y) => tf.matMul(x!, y!) },
  { name: 'dot', inputs: [float([4]), float([4], -1, 1, 5)], run: (x, y) => tf.dot(x!, y!) },
  {
    name: 'outerProduct',
    inputs: [float([4]), float([3], -1, 1, 5)],
    run: (x, y) => tf.outerProduct(x! as tf.Tensor1D, y! as tf.Tensor1D),
  },
  {
    name: 'einsum',
    inputs: [float([2, 3, 4]), float([2, 4, 5], -1, 1, 5)],
    run: (x, y) => tf.einsum('bij,bjk->bki', x!, y!),
    gradient: false,
  },
  ...(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const).map((activation) => ({
    name: `fused.matMul ${activation}`,
    inputs: [float([3, 4]), float([4, 5], -1, 1, 5), float([5], -1, 1, 6)],
    run: (a: tf.Tensor | undefined, b: tf.Tensor | undefined, bias: tf.Tensor | undefined) =>
      tf.fused.matMul({ a: a!, b: b!, bias: bias!, activation, leakyreluAlpha: 0.2 }),
    gradient: ['linear', 'relu'].includes(activation),
  })),
  {
    name: 'fused.matMul transposed',
    inputs: [float([4, 3]), float([5, 4], -1, 1, 5)],
    run: (a, b) => tf.fused.matMul({ a: a!, b: b!, transposeA: true, transposeB: true }),
  },
  {
    name: 'conv1d',
    inputs: [float([2, 8, 3]), float([3, 3, 4], -1, 1, 5)],
    run: (x, w) => tf.conv1d(x! as tf.Tensor3D, w! as tf.Tensor3D, 1, 'same'),
  },
  ...(
    [
      ['valid', 1, 1],
      ['same', 1, 1],
      ['same', 2, 1],
      ['valid', 1, 2],
    ] as const
  ).map(([pad, stride, dilation]) => ({
    name: `conv2d ${pad}, stride ${stride}, dilation ${dilation}`,
    inputs: [pooled, float([3, 3, 3, 4], -1, 1, 5)],
    run: (x: tf.Tensor | undefined, w: tf.Tensor | undefined) =>
      tf.conv2d(x! as Image, w! as Image, stride, pad, 'NHWC', dilation),
    gradient: dilation === 1,
  })),
  ...(
    [
      ['same', [2, 2], [1, 1]],
      ['same', [1, 2], [1, 2]],
      ['valid', [2, 1], [3, 3]],
    ] as const
  ).map(([pad, strides, [height, width]]) => ({
    name: `conv2d ${pad}, strides ${strides.join()}, filter ${height} x ${width}`,
    inputs: [pooled, float([height, width, 3, 4], -1, 1, 5)],
    run: (x: tf.Tensor | undefined, w: tf.Tensor | undefined) =>
      tf.conv2d(x! as Image, w! as Image, [...strides], pad),
  })),
  ...[tf.conv2d, tf.depthwiseConv2d].map((convolve) => ({
    name: `${convolve.name} padded by numbers`,
    inputs: [pooled, float([3, 3, 3, 2], -1, 1, 5)],
    run: (x: tf.Tensor | undefined, w: tf.Tensor | undefined) => [
      convolve(x! as Image, w! as Image, 1, 1),
      convolve(x! as Image, w! as Image, 1, [
        [0, 0],
        [2, 1],
        [0, 1],
        [0, 0],
      ]),
    ],
  })),
  {
    name: 'fused.conv2d padded by numbers',
    inputs: [pooled, float([3, 3, 3, 4], -1, 1, 5)],
    run: (x, filter) =>
      tf.fused.conv2d({ x: x! as Image, filter: filter! as Image, strides: 1, pad: 1, activation: 'relu' }),
  },
  {
    name: 'depthwiseConv2d, filter smaller than the stride',
    inputs: [pooled, float([1, 1, 3, 2], -1, 1, 5)],
    run: (x, w) => tf.depthwiseConv2d(x! as Image, w! as Image, 2, 'same'),
  },
  {
    name: 'conv2dTranspose, filter smaller than the stride',
    inputs: [float([1, 3, 3, 4]), float([1, 1, 2, 4], -1, 1, 5)],
    run: (x, w) => tf.conv2dTranspose(x! as Image, w! as Image, [1, 6, 6, 2], 2, 'same'),
  },
  {
    name: 'conv2dTranspose',
    inputs: [float([1, 3, 3, 4]), float([3, 3, 2, 4], -1, 1, 5)],
    run: (x, w) => tf.conv2dTranspose(x! as Image, w! as Image, [1, 6, 6, 2], 2, 'same'),
  },
  {
    name: 'depthwiseConv2d',
    inputs: [pooled, float([3, 3, 3, 2], -1, 1, 5)],
    run: (x, w) => tf.depthwiseConv2d(x! as Image, w! as Image, 1, 'same'),
  },
  {
    name: 'separableConv2d',
    inputs: [pooled, float([3, 3, 3, 2], -1, 1, 5), float([1, 1, 6, 4], -1, 1, 6)],
    run: (x, d, p) => tf.separableConv2d(x! as Image, d! as Image, p! as Image, 1, 'valid'),
  },
  {
    name: 'conv3d',
    inputs: [float([1, 4, 4, 4, 2]), float([2, 2, 2, 2, 3], -1, 1, 5)],
    run: (x, w) => tf.conv3d(x! as tf.Tensor5D, w! as tf.Tensor5D, 1, 'valid'),
  },
  {
    name: 'fused.conv2d',
    inputs: [pooled, float([3, 3, 3, 4], -1, 1, 5), float([4], -1, 1, 6)],
    run: (x, filter, bias) =>
      tf.fused.conv2d({
        x: x! as Image,
        filter: filter! as Image,
        strides: 1,
        pad: 'same',
        bias: bias!,
        activation: 'relu',
      }),
  },
  {
    name: 'maxPool',
    inputs: [pooled],
    run: (x) => [tf.maxPool(x! as Image, 2, 2, 'valid'), tf.maxPool(x! as Image, 3, 1, 'same')],
  },
  {
    name: 'avgPool',
    inputs: [pooled],
    run: (x) => tf.avgPool(x! as Image, 2, 2, 'valid'),
  },
  {
    name: 'maxPool padded by numbers',
    inputs: [pooled],
    run: (x) => tf.maxPool(x! as Image, 3, 2, 1, 'floor'),
  },
  // The cpu backend's gradient counts the padding.
  {
    name: 'avgPool padded by numbers',
    inputs: [pooled],
    run: (x) => tf.avgPool(x! as Image, 3, 2, 1, 'floor'),
    gradient: false,
  },
  {
    name: 'avgPool padded',
    inputs: [pooled],
    run: (x) => tf.avgPool(x! as Image, 3, 2, 'same'),
    gradient: false,
  },
  {
    name: 'maxPool3d',
    inputs: [float([1, 4, 4, 4, 2])],
    run: (x) => tf.maxPool3d(x! as tf.Tensor5D, 2, 2, 'valid'),
  },
  {
    name: 'avgPool3d',
    inputs: [float([1, 4, 4, 4, 2])],
    run: (x) => tf.avgPool3d(x! as tf.Tensor5D, 2, 2, 'valid'),
  },
  {
    name: 'dilation2d',
    inputs: [pooled, float([2, 2, 3], -1, 1, 5)],
    run: (x, w) => tf.dilation2d(x! as Image, w! as tf.Tensor3D, 1, 'valid'),
  },
  {
    name: 'batchNorm',
    inputs: [float([4, 3]), float([3]), float([3], 0.5, 2, 5), float([3], -1, 1, 6), float([3], 0.5, 1, 7)],
    run: (x, mean, variance, offset, scale) =>
      tf.batchNorm(
        x!,
        mean! as tf.Tensor1D,
        variance! as tf.Tensor1D,
        offset! as tf.Tensor1D,
        scale! as tf.Tensor1D,
        1e-3,
      ),
  },
  {
    name: 'localResponseNormalization',
    inputs: [pooled],
    run: (x) => tf.localResponseNormalization(x! as Image, 2),
  },
  { name: 'softmax', inputs: [float([3, 5], -5, 5)], run: (x) => tf.softmax(x!) },
  { name: 'softmax of large numbers', inputs: [float([2, 4], 500, 600)], run: (x) => tf.softmax(x!) },
  { name: 'logSoftmax', inputs: [float([3, 5], -5, 5)], run: (x) => tf.logSoftmax(x!) },
  {
    name: 'flipLeftRight',
    inputs: [pooled],
    run: (x) => tf.image.flipLeftRight(x! as Image),
    gradient: false,
  },
  {
    name: 'cropAndResize',
    inputs: [pooled, float([2, 4], 0, 0.5), int([2], 0, 2)],
    run: (x, boxes, i) =>
      tf.image.cropAndResize(x! as Image, boxes! as tf.Tensor2D, i! as tf.Tensor1D, [2, 2]),
    gradient: false,
  },
  { name: 'grayscaleToRGB', inputs: [float([1, 2, 2, 1])], run: (x) => tf.image.grayscaleToRGB(x! as Image) },
  {
    name: 'losses.softmaxCrossEntropy',
    inputs: [float([3, 4], 0, 1), float([3, 4], -2, 2, 5)],
    run: (y, x) => tf.losses.softmaxCrossEntropy(y!, x!),
    gradient: false,
  },
  {
    name: 'losses.sigmoidCrossEntropy',
    inputs: [float([3, 4], 0, 1), float([3, 4], -2, 2, 5)],
    run: (y, x) => tf.losses.sigmoidCrossEntropy(y!, x!),
  },
  {
    name: 'losses.meanSquaredError',
    inputs: [float([3, 4]), float([3, 4], -2, 2, 5)],
    run: (y, x) => tf.losses.meanSquaredError(y!, x!),
  },
  {
    name: 'losses.huberLoss',
    inputs: [float([3, 4]), float([3, 4], -2, 2, 5)],
    run: (y, x) => tf.losses.huberLoss(y!, x!),
  },
  {
    name: 'losses.cosineDistance',
    inputs: [float([3, 4]), float([3, 4], -2, 2, 5)],
    run: (y, x) => tf.losses.cosineDistance(y!, x!, 1),
  },
  {
    name: 'basicLSTMCell',
    inputs: [
      float([2, 3]),
      float([2, 4], -1, 1, 5),
      float([2, 4], -1, 1, 6),
      float([7, 16], -1, 1, 7),
      float([16], -1, 1, 8),
    ],
    run: (x, c, h, kernel, bias) =>
      tf.basicLSTMCell(
        tf.scalar(1),
        kernel! as tf.Tensor2D,
        bias! as tf.Tensor1D,
        x! as tf.Tensor2D,
        c! as tf.Tensor2D,
        h! as tf.Tensor2D,
      ),
  },
];
