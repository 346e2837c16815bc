import * as ops from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { float, floats } from './harness.js';
import type { Case, Input } from './harness.js';

const key = ops.foldIn(ops.seedKey(7), 'conformance');
const [batch, time, hidden, heads] = [3, 5, 8, 2];
const rows = (seed: number): Input => float([batch, time, hidden], -1, 1, seed);
const bias = floats(
  Array.from({ length: batch * time }, (_, i) => (i % 4 === 3 ? -1e4 : 0)),
  [batch, 1, 1, time],
);

/** Hides from each query the keys that are further away than one. */
const window = floats(
  Array.from({ length: time * time }, (_, i) => (Math.abs((i % time) - Math.floor(i / time)) > 1 ? -1e4 : 0)),
  [1, 1, time, time],
);

/** The fused operations and the keyed draws of @hypetune/ops: kernels against compositions, draws to the last bit. */
export const fusedCases: Case[] = [
  {
    name: 'linear',
    inputs: [rows(1), float([hidden, 6], -1, 1, 5), float([6], -1, 1, 6)],
    run: (x, w, b) => ops.linear(x!, w! as tf.Tensor2D, b! as tf.Tensor1D),
  },
  {
    name: 'linear without bias',
    inputs: [float([4, 3]), float([3, 7], -1, 1, 5)],
    run: (x, w) => ops.linear(x!, w! as tf.Tensor2D),
  },
  {
    name: 'linear, large',
    inputs: [float([129, 260]), float([260, 140], -1, 1, 5), float([140], -1, 1, 6)],
    run: (x, w, b) => ops.linear(x!, w! as tf.Tensor2D, b! as tf.Tensor1D),
    tolerance: 1e-4,
  },
  {
    name: 'layerNorm',
    inputs: [rows(1), float([hidden], 0.5, 1.5, 5), float([hidden], -1, 1, 6)],
    run: (x, s, o) => ops.layerNorm(x!, s! as tf.Tensor1D, o! as tf.Tensor1D, 1e-12),
  },
  {
    name: 'layerNorm of rows of one number',
    inputs: [
      floats(
        Array.from(
          { length: 6 * 384 },
          (_, i) => [0.1, -3.3, 10.1, 77.7, 1e3 / 3, -4e4 / 7][Math.floor(i / 384)]!,
        ),
        [6, 384],
      ),
    ],
    run: (x) => ops.layerNorm(x!, tf.ones([384]), tf.zeros([384]), 1e-12),
    gradient: false,
    tolerance: 1e-3,
  },
  { name: 'gelu', inputs: [float([4, 33], -6, 6)], run: (x) => ops.gelu(x!), tolerance: 2e-6 },
  {
    name: 'attention',
    inputs: [rows(1), rows(2), rows(3)],
    run: (q, k, v) => ops.attention(q!, k!, v!, heads),
  },
  {
    name: 'attention with a mask',
    inputs: [rows(1), rows(2), rows(3)],
    run: (q, k, v) => ops.attention(q!, k!, v!, heads, tf.tensor(bias.values, bias.shape)),
  },
  {
    name: 'attention with a window',
    inputs: [rows(1), rows(2), rows(3)],
    run: (q, k, v) => ops.attention(q!, k!, v!, heads, tf.tensor(window.values, window.shape)),
  },
  {
    name: 'attention with dropout',
    inputs: [rows(1), rows(2), rows(3)],
    run: (q, k, v) =>
      ops.attention(q!, k!, v!, heads, tf.tensor(bias.values, bias.shape), { rate: 0.3, key }),
  },
  {
    name: 'attention, other keys',
    inputs: [float([2, 3, 6]), float([2, 7, 6], -1, 1, 4), float([2, 7, 6], -1, 1, 5)],
    run: (q, k, v) => ops.attention(q!, k!, v!, 3),
  },
  {
    name: 'softmaxCrossEntropy',
    inputs: [float([4, 3], 0, 1), float([4, 3], -3, 3, 5)],
    run: (y, x) => ops.softmaxCrossEntropy(y! as tf.Tensor2D, x! as tf.Tensor2D),
  },
  {
    name: 'adamwUpdate',
    inputs: [float([5, 7]), float([5, 7], -1, 1, 4), float([5, 7], 0, 1, 5), float([5, 7], -1, 1, 6)],
    run: (g, m, v, p) => {
      const numbers = {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        stepSize: 1e-2,
        secondScale: 1.5,
        decay: 1e-3,
      };
      const { update, firstMoment, secondMoment } = ops.adamwUpdate(g!, m!, v!, p!, numbers);
      return [update, firstMoment, secondMoment];
    },
    gradient: false,
    tolerance: 1e-6,
  },
  { name: 'randomNormal', inputs: [], run: () => ops.randomNormal([3, 1000], key, 2), tolerance: 0 },
  { name: 'randomUniform', inputs: [], run: () => ops.randomUniform([1001], key, -1e-5, 1e-5), tolerance: 0 },
  { name: 'randomBernoulli', inputs: [], run: () => ops.randomBernoulli([7, 11], key, 0.3), tolerance: 0 },
  { name: 'dropout', inputs: [float([17, 9])], run: (x) => ops.dropout(x!, 0.25, key), tolerance: 0 },
];
