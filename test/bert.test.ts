import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { Trainer, type Dataset, type Plugin, type TrainerOptions } from '@hypetune/core';
import { bertConfig, bertModel } from '@hypetune/models';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';

const tiny = (dropout = 0.1): LayersModel =>
  bertModel(
    bertConfig(
      {
        model_type: 'bert',
        vocab_size: 40,
        hidden_size: 16,
        num_hidden_layers: 3,
        num_attention_heads: 2,
        intermediate_size: 32,
        hidden_act: 'gelu',
        hidden_dropout_prob: dropout,
        attention_probs_dropout_prob: dropout,
        max_position_embeddings: 32,
        type_vocab_size: 2,
        layer_norm_eps: 1e-12,
        initializer_range: 0.2,
      },
      'test',
    ),
    { seed: 1 },
  );

/** Rows of different lengths; the label says whether token 5 is there. */
const rows: number[][] = Array.from({ length: 40 }, (_, row) =>
  Array.from({ length: 4 + (row % 5) }, (_, place) => 6 + ((row * 7 + place * 11) % 30)),
).map((tokens, row) => (row % 2 ? [5, ...tokens] : tokens));

const data: Dataset = {
  size: rows.length,
  label: (index) => index % 2,
  length: (index) => rows[index]!.length,
  inputs: (indices, length = 16) => {
    const padded = (of: (token: number | undefined) => number): tf.Tensor =>
      tf.tensor2d(
        indices.map((index) => Array.from({ length }, (_, place) => of(rows[index]![place]))),
        [indices.length, length],
        'int32',
      );
    return [padded((token) => token ?? 0), padded((token) => (token === undefined ? 0 : 1)), padded(() => 0)];
  },
};

async function losses(model: LayersModel, options: Partial<TrainerOptions> = {}): Promise<number[]> {
  const trainer = new Trainer({
    model,
    batchSize: 8,
    epochs: 2,
    optimizer: { learningRate: 5e-3 },
    ...options,
  });
  const seen: number[] = [];
  trainer.hooks.onStep.tap('test', ({ loss }) => seen.push(loss));
  await trainer.fit(data);
  return seen;
}

test('the trainer sees every seam of BERT under its Hugging Face names', async () => {
  const seen = { weights: new Set<string>(), layers: [] as string[], embedding: [] as number[][] };
  const spy: Plugin = {
    name: 'spy',
    apply({ hooks, parameters, layers, hasTokenTable, hasDropout }) {
      expect(layers.map(({ name }) => name)).toEqual([0, 1, 2].map((i) => `bert.encoder.layer.${i}`));
      expect([hasTokenTable, hasDropout]).toEqual([true, true]);
      const role = Object.fromEntries(parameters.map((parameter) => [parameter.name, parameter.role]));
      expect(role['bert.embeddings.word_embeddings.weight']).toBe('embedding');
      expect(role['bert.encoder.layer.1.attention.self.query.weight']).toBe('kernel');
      expect(role['bert.encoder.layer.1.attention.self.query.bias']).toBe('bias');
      expect(role['bert.encoder.layer.1.output.LayerNorm.weight']).toBe('norm');
      const find = (name: string): unknown => parameters.find((parameter) => parameter.name === name);
      expect(find('classifier.weight')).toMatchObject({ site: 'head', pretrained: false, layer: undefined });
      expect(find('bert.pooler.dense.weight')).toMatchObject({ site: 'pooler', pretrained: true });
      expect(find('bert.encoder.layer.2.output.dense.weight')).toMatchObject({ site: 'hidden', layer: 2 });
      hooks.afterWeightRead.tap('spy', (weight, { name }) => {
        expect(seen.weights.has(name)).toBe(false);
        seen.weights.add(name);
        return tf.mul(weight, 1);
      });
      hooks.beforeLayerForward.tap('spy', (hidden, { name }) => {
        seen.layers.push(name);
        return hidden;
      });
      hooks.afterEmbedding.tap('spy', (vectors) => {
        seen.embedding.push(vectors.shape);
        return vectors;
      });
      hooks.afterBackward.tap('spy', (gradients) => {
        expect(Object.keys(gradients)).toHaveLength(parameters.length);
        return gradients;
      });
    },
  };
  await losses(tiny(), { plugins: [spy], steps: 1 });
  expect(seen.weights.size).toBe(5 + 3 * 16 + 2 + 2);
  expect(seen.layers).toEqual([0, 1, 2].map((i) => `bert.encoder.layer.${i}`));
  expect(seen.embedding).toEqual([[8, 16, 16]]);
});

test('BERT learns, repeats bit for bit, and dropout follows the override', async () => {
  const first = await losses(tiny(), { epochs: 8, dropout: { hidden: 0, attention: 0 } });
  expect(first.at(-1)!).toBeLessThan(0.3);
  const dropped = await losses(tiny());
  expect(await losses(tiny())).toEqual(dropped);
  expect(await losses(tiny(), { dropout: { hidden: 0, attention: 0 } })).toEqual(await losses(tiny(0)));
  expect(await losses(tiny(), { dropout: { hidden: 0 } })).not.toEqual(await losses(tiny(0)));
});

test('training BERT leaves no tensor behind', async () => {
  const model = tiny();
  await losses(model, { epochs: 1 });
  const before = tf.memory().numTensors;
  await losses(model);
  expect(tf.memory().numTensors).toBe(before);
});
