import type { HeadActivation } from './layers/dense-classification-head.js';

/** An architecture by the name that `model_type` has in a config.json. */
export type ModelType = 'bert' | 'electra' | 'roberta';

/** What tells one architecture from another; the blocks are the same in all. */
export interface Family {
  /** The class of `transformers` that a saved folder names. */
  readonly architecture: string;
  /** A pooler and a linear classifier, or a classifier with a hidden layer of its own and this activation. */
  readonly head: 'pooler' | HeadActivation;
  /** Rows of the position table before the first token's: RoBERTa counts from its padding id plus one. */
  readonly firstPosition: (paddingId: number) => number;
  /** What a config.json may leave out. */
  readonly defaults: Readonly<Record<string, unknown>>;
}

const BERT: Family = {
  architecture: 'BertForSequenceClassification',
  head: 'pooler',
  firstPosition: () => 0,
  defaults: {
    vocab_size: 30522,
    hidden_size: 768,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    intermediate_size: 3072,
    hidden_act: 'gelu',
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.1,
    classifier_dropout: null,
    max_position_embeddings: 512,
    type_vocab_size: 2,
    initializer_range: 0.02,
    layer_norm_eps: 1e-12,
    pad_token_id: 0,
  },
};

/** The architectures, by `model_type`: Devlin et al. (2019), Clark et al. (2020), Liu et al. (2019). */
export const FAMILIES: Readonly<Record<ModelType, Family>> = {
  bert: BERT,
  electra: {
    ...BERT,
    architecture: 'ElectraForSequenceClassification',
    head: 'gelu',
    defaults: {
      ...BERT.defaults,
      embedding_size: 128,
      hidden_size: 256,
      num_attention_heads: 4,
      intermediate_size: 1024,
    },
  },
  roberta: {
    ...BERT,
    architecture: 'RobertaForSequenceClassification',
    head: 'tanh',
    firstPosition: (paddingId) => paddingId + 1,
    defaults: { ...BERT.defaults, vocab_size: 50265, pad_token_id: 1 },
  },
};
