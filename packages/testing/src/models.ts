import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { tensorData, type Dataset } from '@hypetune/core';
import { bertConfig, bertModel } from '@hypetune/models';
import { foldIn, randomUniform, seedKey } from '@hypetune/ops';

/**
 * The models that plugins are tried on: a BERT of two blocks, a user's own stack over a token table, and a user's own stack
 * over float features.
 */
export const modelNames = ['bert', 'tokens', 'features'] as const;
export type ModelName = (typeof modelNames)[number];

const vocabulary = 20;
const tokens = 5;
const features = 4;

/** A new model of that name, equal at every call. */
export function buildModel(name: ModelName): LayersModel {
  return builders[name]();
}

const builders: Readonly<Record<ModelName, () => LayersModel>> = {
  bert: () =>
    bertModel(
      bertConfig({
        vocab_size: vocabulary,
        hidden_size: 8,
        num_hidden_layers: 2,
        num_attention_heads: 2,
        intermediate_size: 16,
        max_position_embeddings: 16,
        initializer_range: 0.3,
      }),
      { seed: 1 },
    ),
  tokens: () => {
    const table = {
      inputDim: vocabulary,
      outputDim: 4,
      inputLength: tokens,
      embeddingsInitializer: initial(1),
    };
    return sequential({ layers: [layers.embedding(table), layers.flatten(), ...stack()] });
  },
  features: () => sequential({ layers: [layers.inputLayer({ inputShape: [features] }), ...stack()] }),
};

function stack(): layers.Layer[] {
  return [
    layers.dense({ units: 8, activation: 'tanh', kernelInitializer: initial(2) }),
    layers.dropout({ rate: 0.1 }),
    layers.dense({ units: 8, activation: 'tanh', kernelInitializer: initial(3) }),
    layers.dense({ units: 2, kernelInitializer: initial(4) }),
  ];
}

function initial(seed: number): ReturnType<typeof initializers.randomUniform> {
  return initializers.randomUniform({ minval: -0.5, maxval: 0.5, seed });
}

/** Rows for a model, the same at every call, and a function that frees them. */
export function buildData(name: ModelName, rows = 8): { data: Dataset; dispose: () => void } {
  const draw = (shape: number[], high: number): tf.Tensor =>
    randomUniform(shape, foldIn(seedKey(7), name), 0, high);
  const ids = (): tf.Tensor => tf.tidy(() => tf.cast(draw([rows, tokens], vocabulary), 'int32'));
  const inputs =
    name === 'features'
      ? [draw([rows, features], 1)]
      : name === 'tokens'
        ? [ids()]
        : [ids(), tf.ones([rows, tokens], 'int32'), tf.zeros([rows, tokens], 'int32')];
  const labels = Array.from({ length: rows }, (_, row) => ((row * 7) % 3) & 1);
  return {
    data: tensorData(inputs, labels),
    dispose: () => {
      tf.dispose(inputs);
    },
  };
}
