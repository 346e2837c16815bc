import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { adafactor } from '@hypetune/adafactor';
import { cautious } from '@hypetune/cautious';
import { GRADIENT_STAGE, tensorData, Trainer, type OptimizerOptions, type Plugin } from '@hypetune/core';
import { lion } from '@hypetune/lion';
import { expect, test } from 'vitest';
import { expectClose, fixture, tensor, type Tensors } from './harness.js';

const { start, gradients, weights } = fixture<{
  start: Tensors;
  gradients: Tensors[];
  weights: Readonly<Record<string, Readonly<Record<string, Tensors>>>>;
}>('replaced-optimizers');

/** Puts the fixture's gradients in the place of the model's own. */
const given: Plugin = {
  name: 'given',
  apply({ hooks }) {
    hooks.afterBackward.tap({ name: 'given', stage: GRADIENT_STAGE.UNSCALE }, (computed, step) =>
      Object.fromEntries(
        Object.keys(computed).map((name) => [name, tensor(gradients[step.index - 1]![name]!)]),
      ),
    );
  },
};

test.each<[string, Plugin, Partial<OptimizerOptions>]>([
  ['lion', lion(), { weightDecay: 0.1 }],
  ['adafactor', adafactor(), { weightDecay: 0.1 }],
  ['adafactor relative', adafactor({ relativeStep: true, scaleParameter: true }), {}],
  [
    'adafactor warm-up, momentum',
    adafactor({ relativeStep: true, scaleParameter: true, warmup: true, beta1: 0.9, clipThreshold: 0.5 }),
    {},
  ],
  ['cautious adamw', cautious(), { epsilonMode: 'hf' }],
])('%s: thirty steps of the published class', async (name, plugin, optimizer) => {
  const model = sequential({
    layers: [
      layers.dense({ name: 'hidden', units: 3, inputShape: [2] }),
      layers.dense({ name: 'head', units: 2 }),
    ],
  });
  const named = model.weights.map((weight) => [weight.originalName.replace('/', '.'), weight] as const);
  for (const [key, weight] of named) weight.write(tensor(start[key]!));
  const trainer = new Trainer({
    model,
    plugins: [given, plugin],
    optimizer: { learningRate: 0.01, weightDecay: 0, epsilonMode: 'torch', epsilon: 1e-8, ...optimizer },
    schedule: { warmup: 0, decay: 'constant' },
    ...{ clipNorm: 0, steps: 30, batchSize: 2 },
  });
  const seen: number[] = [];
  trainer.hooks.onStep.tap('test', ({ step }) => {
    const wanted = weights[name]![step];
    if (!wanted) return;
    seen.push(step);
    for (const [key, weight] of named) {
      // Like the published ones, decay acts on every matrix; ours spares biases.
      const decayed = optimizer.weightDecay !== undefined && key.endsWith('bias');
      if (!decayed) expectClose(weight.read(), wanted[key]!, 1e-5);
    }
  });
  await trainer.fit(tensorData(tf.ones([4, 2]), [0, 1, 0, 1]));
  expect(seen).toEqual([1, 2, 10, 30]);
});
