import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { ATTENTION_STAGE, HIDDEN_STAGE, tensorData, Trainer, type Plugin } from '@hypetune/core';
import { bertConfig, bertModel } from '@hypetune/models';
import { expect, test } from 'vitest';
import { hype, perturb } from './index.js';

test('relative noise is as strong as the row: sigma times its root mean square', () => {
  const hidden = tf.tensor2d([3, 4, 0, 0], [2, 2]); // root mean squares sqrt(12.5), 0
  const unit = tf.tensor2d([1, -2, 1, 1], [2, 2]);
  const got = Array.from(perturb(hidden, unit, 0.1, true).dataSync());
  const wanted = [3 + 0.1 * Math.sqrt(12.5), 4 - 0.2 * Math.sqrt(12.5), 0, 0];
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
});

test('the size of relative noise is a constant to the gradient', () => {
  const gradient = tf.grad((hidden) => tf.sum(perturb(hidden, tf.tensor2d([[1, -2]]), 0.1, true)));
  expect(Array.from(gradient(tf.tensor2d([[3, 4]])).dataSync())).toEqual([1, 1]);
});

/** What enters each layer and what its attention hands on, before and after HyPe, in a training step of a small BERT. */
async function seen(plugin: Plugin): Promise<Record<string, Float32Array>> {
  const sizes = {
    vocab_size: 20,
    hidden_size: 8,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 8,
  };
  const model = bertModel(bertConfig({ ...sizes, max_position_embeddings: 8 }), { seed: 1 });
  const kept: Record<string, tf.Tensor> = {};
  const spy: Plugin = {
    name: 'spy',
    apply: ({ hooks }) => {
      for (const [when, offset] of Object.entries({ before: -1, after: 1 })) {
        hooks.beforeLayerForward.tap({ name: 'spy', stage: HIDDEN_STAGE.NOISE + offset }, (hidden, layer) => {
          kept[`input ${layer.index} ${when}`] = tf.keep(tf.clone(hidden));
          return hidden;
        });
        hooks.afterAttention.tap({ name: 'spy', stage: ATTENTION_STAGE.NOISE + offset }, (context, layer) => {
          kept[`attention ${layer.index} ${when}`] = tf.keep(tf.clone(context));
          return context;
        });
      }
    },
  };
  const inputs = [0, 1, 0].map((id) => tf.fill([16, 6], id, 'int32'));
  const trainer = new Trainer({ model, plugins: [plugin, spy], steps: 1, batchSize: 16, compile: false });
  await trainer.fit(tensorData(inputs, new Array<number>(16).fill(0)));
  model.dispose();
  return Object.fromEntries(
    Object.entries(kept).map(([name, tensor]) => [name, tensor.dataSync<'float32'>()]),
  );
}

test.each(['input', 'attention'] as const)(
  'site %s: noise of the deviation asked for, there and nowhere else',
  async (site) => {
    const values = await seen(hype({ site, scale: 0.1, layers: [1] }));
    for (const place of ['input 0', 'input 1', 'attention 0', 'attention 1']) {
      const [before, after] = [values[`${place} before`]!, values[`${place} after`]!];
      const squares = before.reduce((sum, value, i) => sum + (after[i]! - value) ** 2, 0);
      const deviation = Math.sqrt(squares / before.length);
      if (place === `${site} 1`) expect(Math.abs(deviation - 0.1)).toBeLessThan(0.01);
      else expect(deviation).toBe(0);
    }
  },
);

test('on a model without attention it is refused', async () => {
  const model = sequential({
    layers: [layers.dense({ units: 3, inputShape: [4] }), layers.dense({ units: 2 })],
  });
  const trainer = new Trainer({ model, plugins: [hype({ site: 'attention', scale: 0.1 })], steps: 1 });
  await expect(trainer.fit(tensorData(tf.ones([2, 4]), [0, 1]))).rejects.toThrow(
    "hype: the model's layers have no attention to act on",
  );
  model.dispose();
});
