import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { mixture } from '@hypetune/mixout';
import { expect, test } from 'vitest';
import { expectClose, fixture, tensor, type Nested } from './harness.js';

interface Case extends Readonly<
  Record<
    | 'weight'
    | 'bias'
    | 'target'
    | 'input'
    | 'upstream'
    | 'output'
    | 'evaluation'
    | 'weightGradient'
    | 'biasGradient',
    Nested
  >
> {
  readonly p: number;
  readonly mask: number[];
}
const { cases } = fixture<{ cases: Case[] }>('mixout');

test.each(cases)('MixLinear at p = $p: output, gradients, evaluation', (published) => {
  const [weight, target] = [published.weight, published.target].map((x) => tf.transpose(tensor(x)));
  const [x, bias] = [tensor(published.input), tensor(published.bias)];
  const mask = tf.tensor2d(published.mask, [4, 1]);
  const layer =
    (gradient: 'exact' | 'reference') =>
    (w: tf.Tensor, b: tf.Tensor): tf.Tensor =>
      tf.add(tf.matMul(x, mixture(w, target!, mask, published.p, gradient)), b);
  const upstream = tensor(published.upstream);
  const gradients = (mode: 'exact' | 'reference'): tf.Tensor[] =>
    tf.grads((w: tf.Tensor, b: tf.Tensor) => tf.sum(tf.mul(layer(mode)(w, b), upstream)))([weight!, bias]);
  for (const mode of ['exact', 'reference'] as const) {
    expectClose(layer(mode)(weight!, bias), published.output);
    expectClose(gradients(mode)[1]!, published.biasGradient);
  }
  const [reference] = gradients('reference');
  expectClose(tf.transpose(reference!), published.weightGradient);
  // The published backward forgets 1 / (1 - p); ours has it.
  expectClose(tf.mul(gradients('exact')[0]!, 1 - published.p), reference!.arraySync() as Nested);
  expectClose(tf.add(tf.matMul(x, weight!), bias), published.evaluation);
  expect(published.p).toBeGreaterThan(0);
});
