import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, expect, test } from 'vitest';
import { weightedMean } from '../gradient.js';
import {
  balancedWeights,
  divergenceOf,
  type Label,
  type ModelOutput,
  multiLabel,
  regression,
  resolveTask,
  singleLabel,
  type Task,
  tokenClassification,
} from './index.js';

interface Golden {
  readonly shape: number[];
  readonly logits: number[];
  readonly labels: Label[];
  readonly loss: number;
  readonly gradient: number[];
}

/** Made by fixtures/losses.py from torch: the losses that the heads of transformers take. */
const golden = JSON.parse(readFileSync(new URL('./fixtures/losses.json', import.meta.url), 'utf8')) as Record<
  string,
  Golden
>;

const classWeights = [0.5, 2, 1.25];
const tasks: Readonly<Record<string, Task>> = {
  plain: singleLabel(),
  weighted: singleLabel({ classWeights }),
  smoothed: singleLabel({ labelSmoothing: 0.1 }),
  both: singleLabel({ classWeights, labelSmoothing: 0.2 }),
  indicators: multiLabel(),
  values: regression({ targets: 2 }),
  tokens: tokenClassification(),
};

const output = (...shape: (number | null)[]): ModelOutput => ({
  shape: [null, ...shape],
  units: shape.at(-1)!,
  ending: undefined,
});

interface Batch {
  readonly labels: tf.Tensor;
  readonly weights: tf.Tensor1D;
}

/** Labels as a batch of a model with these logits. */
function collated(task: Task, labels: readonly Label[], shape: readonly number[]): Batch {
  const outputs = task.outputs(output(...shape.slice(1)));
  const batch = { outputs, length: shape.length > 2 ? shape[1] : undefined, row: (place: number) => place };
  const got = task.collate(labels, batch);
  return { labels: tf.tensor(got.values, [...got.shape]), weights: tf.tensor1d([...got.weights]) };
}

const near = (got: tf.Tensor, wanted: readonly number[], digits = 6): void => {
  expect(Array.from(got.dataSync())).toEqual(wanted.map((v) => expect.closeTo(v, digits) as number));
};

beforeEach(() => tf.setBackend('cpu'));

test.each(Object.keys(tasks))('%s: loss and gradient are those of torch', (name) => {
  const { shape, logits, labels, loss, gradient } = golden[name]!;
  const task = tasks[name]!;
  const batch = collated(task, labels, shape);
  const mean = (x: tf.Tensor): tf.Scalar => weightedMean(task.loss(x, batch.labels), batch.weights);
  const { value, grad } = tf.valueAndGrad(mean)(tf.tensor(logits, shape));
  near(value, [loss]);
  near(grad, gradient);
});

test('class weights, balanced: rows over classes times rows of the class', () => {
  expect(balancedWeights([0, 0, 0, 2], 4)).toEqual([4 / 6, 1, 4 / 2, 1]);
  const task = singleLabel({ classWeights: 'balanced' });
  const data = { size: 4, label: (row: number) => [0, 0, 0, 1][row]!, inputs: () => [] };
  const rows = task.bind!(data, 2).loss!(tf.zeros([2, 2]), tf.tensor2d([1, 0, 0, 1], [2, 2]));
  near(rows, [(4 / 6) * Math.log(2), 2 * Math.log(2)]);
});

test('divergence: of classes the symmetric one, of labels the sum of it, of tokens its mean over those that count', () => {
  const [p, q] = [tf.tensor2d([[1, 2]]), tf.tensor2d([[1.1, 1.8]])];
  const kl = (a: number[], b: number[]): number => {
    const soft = (z: number[]): number[] =>
      z.map((v) => Math.exp(v) / z.reduce((s, w) => s + Math.exp(w), 0));
    const [P, Q] = [soft(a), soft(b)];
    return P.reduce((sum, v, i) => sum + (v - Q[i]!) * Math.log(v / Q[i]!), 0);
  };
  near(singleLabel().divergence!(p, q, p), [kl([1, 2], [1.1, 1.8])]);
  near(multiLabel().divergence!(p, q, p), [kl([1, 0], [1.1, 0]) + kl([2, 0], [1.8, 0])]);
  near(regression().divergence!(p, q, p), [(0.01 + 0.04) / 2]);
  const tokens = (...rows: number[][]): tf.Tensor => tf.tensor([rows]);
  const [a, b, c] = [
    [1, 2],
    [0, 1],
    [5, 5],
  ];
  const counted = tokens([1, 0], [0, 1], [0, 0]);
  near(tokenClassification().divergence!(tokens(a, b, c), tokens(b, a, [9, 0]), counted), [kl(a, b)]);
  expect(() =>
    divergenceOf({ ...regression(), name: 'mine', divergence: undefined } as unknown as Task, 'r3f'),
  ).toThrow("r3f: compares two predictions, and the task 'mine' has no divergence");
});

test('mixed labels: a loss is that of the mixture', () => {
  const task = tokenClassification();
  const { labels } = collated(
    task,
    [
      [1, 0],
      [-100, 2],
    ],
    [2, 2, 3],
  );
  const mixed = tf.mul(tf.add(labels, tf.reverse(labels, 0)), 0.5);
  const logits = tf.tensor(
    Array.from({ length: 12 }, (_, i) => Math.sin(i)),
    [2, 2, 3],
  );
  const own = (x: tf.Tensor): tf.Tensor => tf.neg(tf.sum(tf.mul(x, tf.logSoftmax(logits)), [1, 2]));
  near(task.loss(logits, mixed), Array.from(tf.div(own(mixed), 1.5).dataSync()));
});

test('a row without a token that counts has no loss and no weight', () => {
  const task = tokenClassification();
  const { labels, weights } = collated(task, [[-100, -100], [1]], [2, 2, 2]);
  near(weights, [0, 1]);
  near(task.loss(tf.zeros([2, 2, 2]), labels), [0, Math.log(2)]);
});

test('outputs that end in a softmax or sigmoid become logits', () => {
  const back = tf.softmax(
    singleLabel().logits(tf.tensor2d([[0.2, 0.5, 0.3]]), { ...output(3), ending: 'softmax' }),
  );
  near(back, [0.2, 0.5, 0.3]);
  const z = tf.tensor2d([[1.5], [-2]]);
  near(singleLabel().logits(z, output(1)), [0, 1.5, 0, -2]);
  near(singleLabel().logits(tf.sigmoid(z), { ...output(1), ending: 'sigmoid' }), [0, 1.5, 0, -2], 5);
  near(multiLabel().logits(tf.sigmoid(z), { ...output(1), ending: 'sigmoid' }), [1.5, -2], 5);
  const p = tf.tensor3d([0.25, 0.75], [1, 1, 2]);
  near(tf.exp(tokenClassification().logits(p, { ...output(null, 2), ending: 'softmax' })), [0.25, 0.75]);
});

const sigmoids: ModelOutput = { ...output(3), ending: 'sigmoid' };
const softmaxes: ModelOutput = { ...output(3), ending: 'softmax' };
test.each<[string, () => unknown, string]>([
  ['sigmoids for one class', () => singleLabel().outputs(sigmoids), 'ends in 3 sigmoids'],
  ['a softmax for labels', () => multiLabel().outputs(softmaxes), 'ends in a softmax'],
  ...[singleLabel(), multiLabel(), tokenClassification()].map((task): [string, () => unknown, string] => [
    `parts for ${task.name}`,
    () => task.outputs({ ...output(3), ending: 'mixed' }),
    `${task.name}: the model's output joins parts that end in different ways`,
  ]),
  [
    'sigmoids for tokens',
    () => tokenClassification().outputs({ ...sigmoids, shape: [null, null, 3] }),
    'ends in sigmoids',
  ],
  [
    'an output a token for one class',
    () => singleLabel().outputs(output(16, 3)),
    'classification: the model must have outputs [rows, outputs], got [rows, 16, 3]; for a label each token take tokenClassification().',
  ],
  [
    'one output a row for tokens',
    () => tokenClassification().outputs(output(3)),
    'must have outputs [rows, length, classes], got [rows, 3].',
  ],
  [
    'other names',
    () => singleLabel({ labels: ['a', 'b'] }).outputs(output(3)),
    'names 2 outputs (a, b) but the model has 3.',
  ],
  [
    'other targets',
    () => regression({ targets: 2 }).outputs(output(3)),
    'targets is 2 but the model has 3 outputs',
  ],
  [
    'other class weights',
    () => singleLabel({ classWeights: [1, 1] }).outputs(output(3)),
    'a number for each of 3 classes, got 2',
  ],
  [
    'a negative class weight',
    () => singleLabel({ classWeights: [1, -1] }),
    'singleLabel: classWeights[1] must be a finite number >= 0, got -1.',
  ],
  [
    'weights of no kind',
    () => singleLabel({ classWeights: 'equal' as 'balanced' }),
    "'balanced' or a list, each entry a finite number >= 0, got 'equal'",
  ],
  [
    'smoothing of 1',
    () => singleLabel({ labelSmoothing: 1 }),
    'labelSmoothing must be a finite number >= 0 and < 1, got 1.',
  ],
  [
    'a threshold of 1',
    () => multiLabel({ threshold: 1 }),
    'threshold must be a finite number > 0 and < 1, got 1.',
  ],
  ['an unknown option', () => singleLabel({ label: 1 } as object), "singleLabel: unknown option 'label'"],
  [
    'an unknown name',
    () => resolveTask('tagging' as 'regression'),
    "trainer: task must be a task, as singleLabel(), or one of 'classification', 'regression', 'multi-label', 'token-classification', got 'tagging'.",
  ],
  ['no task', () => resolveTask({ name: 'x' } as Task), 'task must be a task, as singleLabel(), or one of'],
  [
    'a class out of range',
    () => collated(singleLabel(), [3], [1, 3]),
    'data: row 0 has label 3; a model of 3 classes wants a whole number from 0 to 2.',
  ],
  ['a list for one class', () => collated(singleLabel(), [[1]], [1, 3]), 'row 0 has label [1]'],
  ['too few labels', () => collated(multiLabel(), [[1, 0]], [1, 3]), 'wants a list of 3 numbers from 0 to 1'],
  ['no indicator', () => collated(multiLabel(), [[1, 2]], [1, 2]), 'wants a list of 2 numbers from 0 to 1'],
  [
    'one value for two targets',
    () => collated(regression(), [1], [1, 2]),
    'row 0 has label 1; a model of 2 outputs wants 2 numbers.',
  ],
  [
    'NaN',
    () => collated(regression(), [NaN], [1, 1]),
    'row 0 has label NaN; a model of 1 output wants a number.',
  ],
  [
    'a token of no class',
    () => collated(tokenClassification(), [[0, -1]], [1, 2, 3]),
    'row 0 has label [0,-1]; it must be a list of up to 2 classes',
  ],
  [
    'too many tokens',
    () => collated(tokenClassification(), [[0, 0, 0]], [1, 2, 3]),
    'it must be a list of up to 2 classes',
  ],
])('%s is refused', (_, make, message) => {
  expect(make).toThrow(message);
});

test('predictions, and how they are said', () => {
  const said = (task: Task, logits: number[], outputs: number): ReturnType<Task['say']> =>
    task.say(task.predict(Float32Array.from(logits), outputs));
  const one = said(singleLabel({ labels: ['-1', '0'] }), [0, Math.log(3)], 2);
  expect(one.said).toEqual({ label: '0' });
  expect(one.probabilities).toEqual([
    ['-1', expect.closeTo(0.25)],
    ['0', expect.closeTo(0.75)],
  ]);
  const many = said(multiLabel({ labels: ['bug', 'how-to', 'idea'], threshold: 0.6 }), [1, 0, -1], 3);
  expect(many.said).toEqual({ labels: ['bug'] });
  expect(many.probabilities[1]).toEqual(['how-to', 0.5]);
  expect(said(regression(), [1.5], 1)).toEqual({ said: { value: 1.5 }, probabilities: [] });
  expect(said(regression({ targets: ['price', 'size'] }), [1.5, 2], 2).said).toEqual({ price: 1.5, size: 2 });
  expect(said(tokenClassification({ labels: ['O', 'B-A'] }), [1, 0, 0, 1], 2).said).toEqual({
    labels: ['O', 'B-A'],
  });
  expect(said(singleLabel(), [1, 0, 0], 3).said).toEqual({ label: 'LABEL_0' });
});
