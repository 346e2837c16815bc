import { buildModel, modelConfig, namedWeights } from '@hypetune/models';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Classifier } from './training.js';

/** Configurations of published models, without dropout. */
export const encoders: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'DeBERTa-v3-small': {
    model_type: 'deberta-v2',
    vocab_size: 128_100,
    hidden_size: 768,
    num_hidden_layers: 6,
    num_attention_heads: 12,
    intermediate_size: 3072,
    relative_attention: true,
    position_buckets: 256,
    norm_rel_ebd: 'layer_norm',
    share_att_key: true,
    pos_att_type: ['p2c', 'c2p'],
    position_biased_input: false,
    type_vocab_size: 0,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
  },
  'ModernBERT-base': {
    model_type: 'modernbert',
    vocab_size: 50_368,
    hidden_size: 768,
    num_hidden_layers: 22,
    num_attention_heads: 12,
    intermediate_size: 1152,
    local_attention: 128,
    pad_token_id: 50_283,
    embedding_dropout: 0,
    attention_dropout: 0,
    mlp_dropout: 0,
    classifier_dropout: 0,
  },
  'XLNet-base': {
    model_type: 'xlnet',
    vocab_size: 32_000,
    d_model: 768,
    n_layer: 12,
    n_head: 12,
    d_inner: 3072,
    dropout: 0,
    summary_last_dropout: 0,
  },
};

/** A classifier of `@hypetune/models` on rows without padding. */
export class Encoder implements Classifier {
  readonly weights: readonly tf.Variable[];
  readonly #model: LayersModel;

  constructor(config: Readonly<Record<string, unknown>>) {
    this.#model = buildModel(modelConfig(config));
    this.weights = namedWeights(this.#model)
      .filter(({ variable }) => variable.trainable)
      .map(({ variable }): tf.Variable => {
        const value: unknown = variable.read();
        return value as tf.Variable;
      });
  }

  logits(ids: tf.Tensor2D): tf.Tensor2D {
    const mask = tf.onesLike(ids);
    return this.#model.apply([ids, mask, tf.zerosLike(ids)]) as tf.Tensor2D;
  }
}
