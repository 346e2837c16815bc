import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { ModelConfig } from './config.js';
import { DEBERTA, DEBERTA_V2 } from './deberta/deberta.js';
import type { HeadActivation } from './layers/dense-classification-head.js';
import type { WeightedLayer } from './layers/weighted-layer.js';

/** An architecture by the name that `model_type` has in a config.json. */
export type ModelType = 'bert' | 'electra' | 'roberta' | 'deberta' | 'deberta-v2';

/** What all layers of one model share. */
export interface Common {
  readonly initializerRange: number;
  readonly seed: number;
}

/** A model's inputs, each int32 [B, T]. */
export interface ModelInputs {
  readonly inputIds: SymbolicTensor;
  readonly attentionMask: SymbolicTensor;
  readonly tokenTypeIds: SymbolicTensor;
}

/** The layers up to the last hidden state [B, T, H], and how they are connected. */
export interface Encoder {
  readonly layers: readonly WeightedLayer<string>[];
  readonly connect: (inputs: ModelInputs) => SymbolicTensor;
}

/** From the last hidden state and the attention mask to the logits [B, labels]. */
export type Head = (hidden: SymbolicTensor, attentionMask: SymbolicTensor) => SymbolicTensor;

/** What tells one architecture from another. */
export interface Family {
  /** The class of `transformers` that a saved folder names. */
  readonly architecture: string;
  /** Rows of the position table before the first token's: RoBERTa counts from its padding id plus one. */
  readonly firstPosition: (paddingId: number) => number;
  /** What a config.json may leave out. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Where the layers are not BERT's: the family's own. */
  readonly encoder?: (config: ModelConfig, common: Common) => Encoder;
  /** A pooler and a linear classifier, a classifier with a hidden layer of its own and this activation, or the family's own. */
  readonly head: 'pooler' | HeadActivation | ((config: ModelConfig, labels: number, common: Common) => Head);
  /** Names the first key whose value this family does not have, and what it must be. */
  readonly refuses?: (config: ModelConfig) => readonly [key: string, wanted: string] | undefined;
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
  deberta: DEBERTA,
  'deberta-v2': DEBERTA_V2,
};
