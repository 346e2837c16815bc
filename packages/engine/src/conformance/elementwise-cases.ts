import * as tf from '@tensorflow/tfjs-core';
import { bool, float, floats, int } from './harness.js';
import type { Case } from './harness.js';

type Unary = (x: tf.Tensor) => tf.Tensor;
type Binary = (x: tf.Tensor, y: tf.Tensor) => tf.Tensor;

/** Name, operation, range of the inputs. */
const unary: [string, Unary, number?, number?][] = [
  ['abs', tf.abs],
  ['acos', tf.acos, -0.9, 0.9],
  ['acosh', tf.acosh, 1.1, 4],
  ['asin', tf.asin, -0.9, 0.9],
  ['asinh', tf.asinh],
  ['atan', tf.atan],
  ['atanh', tf.atanh, -0.9, 0.9],
  ['ceil', tf.ceil],
  ['clipByValue', (x) => tf.clipByValue(x, -1, 0.5)],
  ['cos', tf.cos, -5, 5],
  ['cosh', tf.cosh],
  ['elu', tf.elu],
  ['erf', tf.erf],
  ['exp', tf.exp],
  ['expm1', tf.expm1],
  ['floor', tf.floor],
  ['isFinite', tf.isFinite],
  ['isInf', tf.isInf],
  ['isNaN', tf.isNaN],
  ['leakyRelu', (x) => tf.leakyRelu(x, 0.3)],
  ['log', tf.log, 0.1, 5],
  ['log1p', tf.log1p, -0.5, 5],
  ['logSigmoid', tf.logSigmoid],
  ['neg', tf.neg],
  ['onesLike', tf.onesLike],
  ['reciprocal', tf.reciprocal, 0.2, 3],
  ['relu', tf.relu],
  ['relu6', tf.relu6, -3, 9],
  ['round', tf.round, -4, 4],
  ['rsqrt', tf.rsqrt, 0.2, 5],
  ['selu', tf.selu],
  ['sigmoid', tf.sigmoid],
  ['sign', tf.sign],
  ['sin', tf.sin, -5, 5],
  ['sinh', tf.sinh],
  ['softplus', tf.softplus, -30, 30],
  ['sqrt', tf.sqrt, 0.1, 5],
  ['square', tf.square],
  ['step', (x) => tf.step(x, 0.1)],
  ['tan', tf.tan, -1.3, 1.3],
  ['tanh', tf.tanh],
  ['zerosLike', tf.zerosLike],
];

/** Operations for whose broadcast inputs, or at all, tfjs-core has no gradient. */
const withoutBroadcastGradient = ['maximum', 'minimum', 'squaredDifference', 'prelu'];
const withoutGradient = ['divNoNan', 'floorDiv'];

/** Name, operation, range of the second input, whether int32 inputs are allowed. */
const binary: [string, Binary, [number, number], boolean][] = [
  ['add', tf.add, [-2, 2], true],
  ['sub', tf.sub, [-2, 2], true],
  ['mul', tf.mul, [-2, 2], true],
  ['div', tf.div, [0.3, 2], true],
  ['divNoNan', tf.divNoNan, [0.3, 2], false],
  // The backends do not agree on its type.
  ['floorDiv', (x, y) => tf.cast(tf.floorDiv(x, y), 'int32'), [0.3, 2], false],
  ['maximum', tf.maximum, [-2, 2], true],
  ['minimum', tf.minimum, [-2, 2], true],
  ['mod', tf.mod, [0.6, 2], false],
  ['pow', (x, y) => tf.pow(tf.add(tf.abs(x), 0.1), y), [-2, 2], false],
  ['squaredDifference', tf.squaredDifference, [-2, 2], true],
  ['atan2', tf.atan2, [0.5, 2], false],
  ['prelu', (x, y) => tf.prelu(x, y), [0.1, 1], false],
];

const comparisons: [string, Binary][] = [
  ['equal', tf.equal],
  ['notEqual', tf.notEqual],
  ['greater', tf.greater],
  ['greaterEqual', tf.greaterEqual],
  ['less', tf.less],
  ['lessEqual', tf.lessEqual],
];

const logical: [string, Binary][] = [
  ['logicalAnd', tf.logicalAnd],
  ['logicalOr', tf.logicalOr],
  ['logicalXor', tf.logicalXor],
];

const broadcasts: [number[], number[]][] = [
  [
    [2, 3],
    [2, 3],
  ],
  [
    [3, 1],
    [1, 4],
  ],
  [[2, 3, 4], [4]],
  [[5], []],
  [
    [2, 1, 3, 1],
    [4, 1, 5],
  ],
];

const special = [0, -0, Infinity, -Infinity, NaN, 1e-30, 1e30, -1e30];

function unaryCases(): Case[] {
  return unary.flatMap(([name, run, low = -2, high = 2]) => [
    { name: `${name} []`, inputs: [float([], low, high)], run },
    { name: `${name} [2,3,5]`, inputs: [float([2, 3, 5], low, high)], run },
    { name: `${name} [0,3]`, inputs: [float([0, 3], low, high)], run },
  ]);
}

function binaryCases(): Case[] {
  return binary.flatMap(([name, run, [low, high], integers]) => [
    // The second input of prelu broadcasts to the first, not both to one shape.
    ...broadcasts
      .filter(([x]) => name !== 'prelu' || !x.includes(1))
      .map(([x, y]) => ({
        name: `${name} [${x.join()}] [${y.join()}]`,
        inputs: [float(x), float(y, low, high, 4)],
        run,
        gradient:
          !withoutGradient.includes(name) &&
          (x.join() === y.join() || !withoutBroadcastGradient.includes(name)),
      })),
    ...(integers ? [{ name: `${name} int32`, inputs: [int([2, 3]), int([3], 1, 6, 5)], run }] : []),
  ]);
}

/** Operations on each element: one input, two with broadcasting, comparisons and logic. */
export const elementwiseCases: Case[] = [
  ...unaryCases(),
  ...binaryCases(),
  ...comparisons.flatMap(([name, run]) => [
    { name: `${name} float32`, inputs: [floats([1, 2, 3, 4], [2, 2]), floats([2, 2])], run },
    { name: `${name} int32`, inputs: [int([3, 4]), int([4], -5, 6, 9)], run },
    { name: `${name} NaN`, inputs: [floats(special), floats(special)], run },
  ]),
  ...logical.map(([name, run]) => ({ name, inputs: [bool([4, 5]), bool([5], 8)], run })),
  { name: 'logicalNot', inputs: [bool([7])], run: (x) => tf.logicalNot(x!) },
  { name: 'bitwiseAnd', inputs: [int([3, 4]), int([3, 4], -5, 6, 9)], run: (x, y) => tf.bitwiseAnd(x!, y!) },
  { name: 'abs int32', inputs: [int([6])], run: (x) => tf.abs(x!) },
  { name: 'neg int32', inputs: [int([6])], run: (x) => tf.neg(x!) },
  { name: 'square int32', inputs: [int([6])], run: (x) => tf.square(x!) },
  {
    name: 'addN',
    inputs: [float([3, 4]), float([3, 4], -1, 1, 5), float([3, 4], -1, 1, 6)],
    run: (...all) => tf.addN(all),
  },
  {
    name: 'where',
    inputs: [bool([3, 4]), float([3, 4]), float([3, 4], -1, 1, 6)],
    run: (c, x, y) => tf.where(c!, x!, y!),
  },
  {
    name: 'where bool',
    inputs: [bool([3, 4]), bool([3, 4], 5), bool([3, 4], 6)],
    run: (c, x, y) => tf.where(c!, x!, y!),
  },
  {
    name: 'where int32',
    inputs: [bool([4]), int([4]), int([4], -1, 9, 6)],
    run: (c, x, y) => tf.where(c!, x!, y!),
  },
  {
    name: 'sign of special values',
    inputs: [floats(special.filter((value) => !Number.isNaN(value)))],
    run: (x) => tf.sign(x!),
  },
  ...['relu', 'exp', 'sqrt', 'isNaN', 'isInf', 'isFinite', 'sigmoid', 'tanh'].map((name) => ({
    name: `${name} of special values`,
    inputs: [floats(special)],
    run: (x: tf.Tensor | undefined) => (tf as unknown as Record<string, Unary>)[name]!(x!),
    gradient: false,
  })),
];
