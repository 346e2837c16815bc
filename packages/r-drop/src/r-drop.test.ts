import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { type Plugin, regression, singleLabel, Trainer, type TrainerOptions } from '@hypetune/core';
import { expect, test } from 'vitest';
import { disagreement, rDrop } from './index.js';

const first = tf.tensor2d([1, 2, 0.5, -0.5], [2, 2]);
const second = tf.tensor2d([1.1, 1.8, 0.4, -0.3], [2, 2]);
const labels = tf.tensor2d([0, 1, 1, 0], [2, 2]);
const classes = singleLabel().divergence!;
const near = (tensor: tf.Tensor, wanted: number[]): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
};
const crossEntropy = (logits: tf.Tensor2D): tf.Scalar =>
  tf.mean(tf.neg(tf.sum(tf.mul(labels, tf.logSoftmax(logits)), -1)));
const loss = (a: tf.Tensor2D, b: tf.Tensor2D, weight: number, reduce: 'mean' | 'sum'): tf.Scalar =>
  tf.addN([crossEntropy(a), crossEntropy(b), tf[reduce](disagreement(classes, a, b, labels, weight))]);

test('the loss, averaged over rows and summed over them (V3)', () => {
  near(loss(first, second, 1, 'mean'), [0.7258783574]);
  near(loss(first, second, 0.5, 'sum'), [0.7258783574]);
  const [a, b] = tf.grads((x, y) => loss(x as tf.Tensor2D, y as tf.Tensor2D, 0.5, 'sum'))([first, second]);
  near(a!, [0.1040071, -0.1040071, -0.1040071, 0.1040071]);
  near(b!, [0.1982523, -0.1982523, -0.1982523, 0.1982523]);
});

test('doubling the batch doubles the summed term and leaves the averaged one', () => {
  const twice = disagreement(classes, tf.concat([first, first]), tf.concat([second, second]), labels, 1);
  const once = disagreement(classes, first, second, labels, 1);
  near(tf.mean(twice), Array.from(tf.mean(once).dataSync()));
  near(tf.sum(twice), [2 * tf.sum(once).dataSync()[0]!]);
});

test('regression: both squared errors and the squared difference (V3)', () => {
  const one = tf.tensor2d([1, 2], [2, 1]);
  const two = tf.tensor2d([1.2, 1.7], [2, 1]);
  const target = tf.tensor2d([0.5, 2.5], [2, 1]);
  const error = (x: tf.Tensor2D): tf.Scalar => tf.mean(tf.squaredDifference(x, target));
  near(
    tf.addN([error(one), error(two), tf.mean(disagreement(regression().divergence!, one, two, target, 1))]),
    [0.88],
  );
});

test('a model whose dropout is all off is warned of, whoever turns it off', () => {
  const warned = (dropout: TrainerOptions['dropout'], others: readonly Plugin[] = [], rate = 0.1): string => {
    const model = sequential({
      layers: [layers.dropout({ rate, inputShape: [3] }), layers.dense({ units: 2 })],
    });
    const warnings: string[] = [];
    const onWarning = (line: string): number => warnings.push(line);
    new Trainer({ model, plugins: [rDrop(), ...others], ...(dropout && { dropout }), onWarning });
    model.dispose();
    return warnings.join();
  };
  const off: Plugin = {
    name: 'off',
    apply: (host) => {
      host.overrideDropout({ hidden: 0, attention: 0 });
    },
  };
  expect(warned(undefined)).toBe('');
  expect(warned({ attention: 0 })).toBe('');
  expect(warned({ hidden: 0.1 }, [], 0)).toBe('');
  for (const text of [warned(undefined, [], 0), warned({ hidden: 0 }), warned(undefined, [off])])
    expect(text).toContain(
      'r-drop: there is no dropout: without another source of noise both passes are equal.',
    );
});

test.each([
  [{ weight: -1 }, 'r-drop: weight must be a finite number >= 0, got -1.'],
  [{ reduction: 'sum' }, "r-drop: reduction must be one of 'mean', 'reference', got 'sum'."],
  [{ alpha: 1 }, "r-drop: unknown option 'alpha'"],
])('%o is refused by name', (options, message) => {
  expect(() => rDrop.create(options)).toThrow(message);
});
