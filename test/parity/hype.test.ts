import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { hype } from '@hypetune/hype';
import { bertConfig, bertModel, namedWeights } from '@hypetune/models';
import type * as Ops from '@hypetune/ops';
import { expect, test, vi } from 'vitest';
import {
  expectClose,
  fixture,
  injected,
  nextDraw,
  oneStep,
  tensor,
  type Nested,
  type Tensors,
} from './harness.js';

vi.mock('@hypetune/ops', async (original) => {
  const ops = await original<typeof Ops>();
  const instead =
    (draw: typeof ops.randomNormal): typeof draw =>
    (shape, ...rest) =>
      injected.length > 0 ? nextDraw(shape) : draw(shape, ...rest);
  return { ...ops, randomNormal: instead(ops.randomNormal), randomUniform: instead(ops.randomUniform) };
});

interface Fixture {
  config: Record<string, unknown>;
  weights: Tensors;
  batch: { input_ids: number[][]; attention_mask: number[][]; token_type_ids: number[][]; labels: number[] };
  scale: number;
  evaluation: Nested;
  cases: {
    noise: 'normal' | 'uniform';
    layers: number[] | null;
    draws: Nested[];
    loss: number;
    gradients?: Tensors;
  }[];
}
const { config, weights, batch, scale, evaluation, cases } = fixture<Fixture>('hype');

const transposed = (kind: string, x: tf.Tensor): tf.Tensor => (kind === 'linear' ? tf.transpose(x) : x);

function published(): LayersModel {
  const model = bertModel(bertConfig(config, 'fixture'));
  for (const { name, kind, variable } of namedWeights(model))
    variable.write(transposed(kind, tensor(weights[name]!)));
  return model;
}
const inputs = [batch.input_ids, batch.attention_mask, batch.token_type_ids].map((rows) =>
  tf.tensor2d(rows, undefined, 'int32'),
);
const labels = tf.cast(tf.oneHot(batch.labels, 2), 'float32') as tf.Tensor2D;

test('without noise BERT gives the logits of the published file', () => {
  expectClose(published().predict(inputs) as tf.Tensor, evaluation);
});

test.each(cases)(
  '$noise noise, layers $layers: the same loss and gradients',
  async ({ noise, layers, draws, loss, gradients = {} }) => {
    const model = published();
    injected.push(...draws.map(tensor));
    const plugin = hype({
      scale,
      noise: noise === 'uniform' ? 'uniform01' : noise,
      ...(layers && { layers }),
    });
    const seen = await oneStep(model, [plugin], { inputs, labels });
    expect(injected).toHaveLength(0);
    expect(seen.loss).toBeCloseTo(loss, 5);
    for (const { name, kind } of namedWeights(model))
      if (gradients[name]) expectClose(transposed(kind, seen.gradients[name]!), gradients[name]);
  },
);
