import * as tf from '@tensorflow/tfjs-core';
import { bool, float, floats, int, ints } from './harness.js';
import type { Case, Input } from './harness.js';

type Reduction = (x: tf.Tensor, axis?: number | number[], keepDims?: boolean) => tf.Tensor;

const reductions: [string, Reduction, Input][] = [
  ['sum', tf.sum, float([2, 3, 4])],
  ['sum int32', tf.sum, int([2, 3, 4])],
  ['sum bool', tf.sum, bool([2, 3, 4])],
  ['mean', tf.mean, float([2, 3, 4])],
  ['max', tf.max, float([2, 3, 4])],
  ['max int32', tf.max, int([2, 3, 4])],
  ['min', tf.min, float([2, 3, 4])],
  ['prod', tf.prod, float([2, 3, 4], 0.5, 1.5)],
  ['logSumExp', tf.logSumExp, float([2, 3, 4])],
  ['euclideanNorm', (x, axis, keepDims) => tf.euclideanNorm(x, axis, keepDims), float([2, 3, 4])],
  ['any', tf.any, bool([2, 3, 4])],
  ['all', tf.all, bool([2, 3, 4])],
];

const axes: (number | number[] | undefined)[] = [undefined, 0, -1, 1, [0, 1], [0, 2], [1, 2]];

const reductionCases: Case[] = reductions.flatMap(([name, run, input]) => [
  ...axes.map((axis) => ({
    name: `${name} over ${axis === undefined ? 'all' : `[${[axis].join()}]`}`,
    inputs: [input],
    run: (x: tf.Tensor | undefined) => run(x!, axis),
    // Only sums, means and extremes have gradients on each axis.
    gradient: !['prod'].includes(name),
  })),
  {
    name: `${name} over [0], kept`,
    inputs: [input],
    run: (x: tf.Tensor | undefined) => run(x!, 0, true),
    gradient: name !== 'prod',
  },
]);

const x234 = float([2, 3, 4]);

/** Reductions, scans and everything that moves elements. */
export const shapeCases: Case[] = [
  ...reductionCases,
  { name: 'sum of nothing', inputs: [float([0, 3])], run: (x) => tf.sum(x!, 0) },
  {
    name: 'argMax',
    inputs: [x234],
    run: (x) => [0, 1, 2].map((axis) => tf.argMax(x!, axis)),
    gradient: false,
  },
  {
    name: 'argMin',
    inputs: [x234],
    run: (x) => [0, 1, -1].map((axis) => tf.argMin(x!, axis)),
    gradient: false,
  },
  { name: 'argMax int32', inputs: [int([3, 5])], run: (x) => tf.argMax(x!, 1) },
  {
    name: 'norm',
    inputs: [float([3, 4])],
    run: (x) => [tf.norm(x!), tf.norm(x!, 1, 1), tf.norm(x!, 2, [0])],
  },
  { name: 'moments', inputs: [x234], run: (x) => Object.values(tf.moments(x!, [0, 1])) as tf.Tensor[] },
  {
    name: 'oneHot as float32',
    inputs: [],
    run: () => tf.oneHot(tf.tensor1d([0, 2, 1], 'int32'), 3, 5, -1, 'float32'),
    gradient: false,
  },
  { name: 'cumsum', inputs: [x234], run: (x) => [tf.cumsum(x!, 2), tf.cumsum(x!, 2, true, true)] },
  {
    name: 'cumsum and cumprod of axes below zero',
    inputs: [x234],
    run: (x) => [tf.cumsum(x!, -2), tf.cumprod(x!, -3)],
    gradient: false,
  },
  { name: 'cumsum of a middle axis', inputs: [x234], run: (x) => tf.cumsum(x!, 1), gradient: false },
  { name: 'cumprod', inputs: [x234], run: (x) => tf.cumprod(x!, 1, true), gradient: false },
  { name: 'concat', inputs: [float([2, 3]), float([2, 4], -1, 1, 5)], run: (x, y) => tf.concat([x!, y!], 1) },
  {
    name: 'concat axis 0',
    inputs: [float([2, 3]), float([4, 3], -1, 1, 5)],
    run: (x, y) => tf.concat([x!, y!], 0),
  },
  {
    name: 'concat int32',
    inputs: [int([2, 3]), int([2, 3], 0, 9, 5)],
    run: (x, y) => tf.concat([x!, y!], -1),
  },
  {
    name: 'stack',
    inputs: [float([2, 3]), float([2, 3], -1, 1, 5)],
    run: (x, y) => [0, 1, 2].map((axis) => tf.stack([x!, y!], axis)),
  },
  { name: 'unstack', inputs: [x234], run: (x) => tf.unstack(x!, 1) },
  { name: 'split', inputs: [x234], run: (x) => tf.split(x!, [1, 3], 2) },
  { name: 'split equally', inputs: [x234], run: (x) => tf.split(x!, 2, 2) },
  { name: 'slice', inputs: [x234], run: (x) => tf.slice(x!, [0, 1, 1], [-1, 2, 2]) },
  { name: 'slice int32', inputs: [int([4, 5])], run: (x) => tf.slice(x!, [1, 2], [2, 3]) },
  { name: 'slice to nothing', inputs: [x234], run: (x) => tf.slice(x!, [0, 3, 0], [2, 0, 4]) },
  {
    name: 'stridedSlice, one place of an axis',
    inputs: [float([5, 7, 3])],
    run: (x) => [
      tf.stridedSlice(x!, [1, 0, 0], [4, 3, 2], [2, 1, 1], 0, 2, 0, 0, 4),
      tf.stridedSlice(x!, [0, -1, 0], [5, 7, 3], [1, 1, 2], 0, 0, 0, 0, 2),
      tf.stridedSlice(x!, [4, 0, 2], [0, 7, 0], [-2, 1, -1], 7, 0, 0, 0, 2),
    ],
    gradient: false,
  },
  {
    name: 'stridedSlice',
    inputs: [x234],
    run: (x) => tf.stridedSlice(x!, [0, 2, 0], [2, -4, 4], [1, -1, 2]),
    gradient: false,
  },
  {
    name: 'pad',
    inputs: [x234],
    run: (x) =>
      tf.pad(
        x!,
        [
          [0, 1],
          [2, 0],
          [1, 1],
        ],
        0.5,
      ),
  },
  {
    name: 'mirrorPad',
    inputs: [float([3, 4])],
    run: (x) => [
      tf.mirrorPad(
        x!,
        [
          [1, 1],
          [2, 2],
        ],
        'reflect',
      ),
      tf.mirrorPad(
        x!,
        [
          [1, 1],
          [2, 2],
        ],
        'symmetric',
      ),
    ],
    gradient: false,
  },
  { name: 'tile', inputs: [float([2, 3])], run: (x) => tf.tile(x!, [2, 3]) },
  { name: 'tile int32', inputs: [int([2, 3])], run: (x) => tf.tile(x!, [1, 2]) },
  { name: 'transpose 2-D', inputs: [float([3, 5])], run: (x) => tf.transpose(x!) },
  ...[
    [0, 1, 2],
    [0, 2, 1],
    [2, 1, 0],
    [1, 2, 0],
  ].map((order) => ({
    name: `transpose ${order.join()}`,
    inputs: [x234],
    run: (x: tf.Tensor | undefined) => tf.transpose(x!, order),
  })),
  {
    name: 'transpose of axes of one',
    inputs: [float([1, 5, 1, 3])],
    run: (x) => tf.transpose(x!, [2, 1, 0, 3]),
  },
  { name: 'transpose 4-D', inputs: [float([2, 3, 4, 5])], run: (x) => tf.transpose(x!, [0, 2, 1, 3]) },
  { name: 'transpose int32', inputs: [int([3, 5])], run: (x) => tf.transpose(x!) },
  { name: 'transpose bool', inputs: [bool([3, 5])], run: (x) => tf.transpose(x!) },
  { name: 'reshape', inputs: [x234], run: (x) => tf.reshape(x!, [4, -1]) },
  {
    name: 'expandDims, squeeze',
    inputs: [x234],
    run: (x) => [tf.expandDims(x!, 1), tf.squeeze(tf.expandDims(x!, 0))],
  },
  { name: 'reverse', inputs: [x234], run: (x) => tf.reverse(x!, [0, 2]) },
  { name: 'broadcastTo', inputs: [float([3, 1])], run: (x) => tf.broadcastTo(x!, [2, 3, 4]) },
  { name: 'clone', inputs: [x234], run: (x) => tf.clone(x!) },
  ...(['float32', 'int32', 'bool'] as const).flatMap((from) =>
    (['float32', 'int32', 'bool'] as const).map((to) => ({
      name: `cast ${from} to ${to}`,
      inputs: [from === 'float32' ? float([6], -3, 3) : from === 'int32' ? int([6]) : bool([6])],
      run: (x: tf.Tensor | undefined) => tf.cast(x!, to),
    })),
  ),
  ...[0, 1, 2, -2].map((axis) => ({
    name: `gather axis ${axis}`,
    inputs: [float([4, 4, 4]), ints([3, 0, 0, 2])],
    run: (x: tf.Tensor | undefined, i: tf.Tensor | undefined) => tf.gather(x!, i!, axis),
  })),
  {
    name: 'gather by a matrix',
    inputs: [float([6, 3]), ints([5, 0, 2, 2, 1, 5], [2, 3])],
    run: (x, i) => tf.gather(x!, i!),
  },
  {
    name: 'gather by other indices of each batch',
    inputs: [float([2, 5, 6]), ints([0, 4, 2, 1, 1, 3], [2, 3])],
    run: (x, i) => tf.gather(x!, i!, 1, 1),
    gradient: false,
  },
  {
    name: 'gather by batches',
    inputs: [float([2, 5]), ints([3, 0, 4, 1], [2, 2])],
    run: (x, i) => tf.gather(x!, i!, 1, 1),
    gradient: false,
  },
  { name: 'gather int32', inputs: [int([5, 2]), ints([4, 1])], run: (x, i) => tf.gather(x!, i!) },
  {
    name: 'gatherND',
    inputs: [float([3, 4]), ints([0, 1, 2, 3], [2, 2])],
    run: (x, i) => tf.gatherND(x!, i!),
    gradient: false,
  },
  {
    name: 'scatterND',
    inputs: [ints([1, 3, 1], [3, 1]), float([3, 2])],
    run: (i, x) => tf.scatterND(i! as tf.Tensor2D, x!, [5, 2]),
    gradient: false,
  },
  {
    name: 'tensorScatterUpdate',
    inputs: [float([5, 2]), ints([1, 3], [2, 1]), float([2, 2], 5, 6, 4)],
    run: (x, i, y) => tf.tensorScatterUpdate(x!, i! as tf.Tensor2D, y!),
    gradient: false,
  },
  {
    name: 'unsortedSegmentSum',
    inputs: [float([5, 3]), ints([0, 2, 0, 3, 2])],
    run: (x, i) => tf.unsortedSegmentSum(x!, i! as tf.Tensor1D, 5),
  },
  {
    name: 'unsortedSegmentSum with ids outside',
    inputs: [float([4, 2]), ints([0, -1, 1, 0])],
    run: (x, i) => tf.unsortedSegmentSum(x!, i! as tf.Tensor1D, 2),
    gradient: false,
  },
  { name: 'oneHot', inputs: [ints([0, 2, 1, 4])], run: (x) => tf.oneHot(x!, 4, 0.9, 0.1), gradient: false },
  {
    name: 'topk',
    inputs: [float([3, 6])],
    run: (x) => Object.values(tf.topk(x!, 3)) as tf.Tensor[],
    gradient: false,
  },
  {
    name: 'unique',
    inputs: [ints([3, 1, 3, 2, 1])],
    run: (x) => Object.values(tf.unique(x!)) as tf.Tensor[],
  },
  { name: 'diag', inputs: [float([3])], run: (x) => tf.diag(x!), gradient: false },
  {
    name: 'made from numbers',
    inputs: [],
    run: () => [
      tf.eye(3, 4),
      tf.fill([2, 2], 3),
      tf.linspace(0, 1, 5),
      tf.range(0, 9, 2),
      tf.zeros([3]),
      tf.ones([2], 'int32'),
    ],
  },
  {
    name: 'lowerBound, upperBound',
    inputs: [floats([1, 3, 3, 5]), floats([0, 3, 4, 9])],
    run: (s, v) => [tf.lowerBound(s!, v!), tf.upperBound(s!, v!)],
    gradient: false,
  },
  {
    name: 'bincount',
    inputs: [ints([1, 0, 1, 3]), floats([1, 2, 3, 4])],
    run: (x, w) => tf.bincount(x! as tf.Tensor1D, w! as tf.Tensor1D, 5),
    gradient: false,
  },
  { name: 'meshgrid', inputs: [float([3]), float([2])], run: (x, y) => tf.meshgrid(x!, y!), gradient: false },
  {
    name: 'batchToSpaceND, spaceToBatchND',
    inputs: [float([4, 1, 1, 2]), float([1, 2, 2, 1], 0, 1, 4)],
    run: (x, y) => [
      tf.batchToSpaceND(
        x!,
        [2, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
      tf.spaceToBatchND(
        y!,
        [2, 2],
        [
          [0, 0],
          [0, 0],
        ],
      ),
    ],
  },
  {
    name: 'depthToSpace',
    inputs: [float([1, 2, 2, 4])],
    run: (x) => tf.depthToSpace(x! as tf.Tensor4D, 2),
    gradient: false,
  },
];
