import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { ModelConfig } from '../config.js';
import type { Activation } from '../layers/activations.js';
import { BertEmbeddings } from '../layers/bert-embeddings.js';
import { BertPooler } from '../layers/bert-pooler.js';
import { ClassificationHead } from '../layers/classification-head.js';
import { DenseClassificationHead, type HeadActivation } from '../layers/dense-classification-head.js';
import { EmbeddingsProjection } from '../layers/embeddings-projection.js';
import { TransformerBlock } from '../layers/transformer-block.js';
import {
  type Common,
  type ConfigKeys,
  type Encoder,
  type Family,
  type Head,
  type TokenInputs,
  checkPositions,
} from './family.js';
import { tokenHead } from './token-head.js';

/** The configuration of BERT, ELECTRA, RoBERTa and the families named after RoBERTa. */
export interface BertConfig extends ModelConfig {
  readonly hidden_size: number;
  /** Features of the embeddings (ELECTRA); the others' are `hidden_size`. */
  readonly embedding_size?: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly intermediate_size: number;
  readonly hidden_act: Activation;
  readonly hidden_dropout_prob: number;
  readonly attention_probs_dropout_prob: number;
  /** Dropout before the classifier; null stands for `hidden_dropout_prob`. */
  readonly classifier_dropout: number | null;
  readonly max_position_embeddings: number;
  readonly type_vocab_size: number;
  readonly layer_norm_eps: number;
}

const DEFAULTS = {
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
};

const KEYS: ConfigKeys = {
  sizes: [
    'vocab_size',
    'hidden_size',
    'num_hidden_layers',
    'num_attention_heads',
    'intermediate_size',
    'max_position_embeddings',
    'type_vocab_size',
  ],
  rates: ['hidden_dropout_prob', 'attention_probs_dropout_prob', 'classifier_dropout'],
  epsilon: 'layer_norm_eps',
  activations: ['hidden_act'],
  width: ['hidden_size', 'num_attention_heads'],
};

/** What one of these families has of its own. */
interface Variant {
  /** Part of the names of its classes in `transformers`. */
  readonly name: string;
  readonly prefix: string;
  readonly counting: 'place' | 'token';
  /** A pooler and a linear classifier, or a classifier with a hidden layer of its own and this activation. */
  readonly head: 'pooler' | HeadActivation;
  readonly defaults?: Readonly<Partial<BertConfig>>;
}

function family({ name, prefix, counting, head, defaults }: Variant): Family<BertConfig> {
  return {
    name,
    prefix,
    defaults: { ...DEFAULTS, ...defaults },
    keys: KEYS,
    check(config, wrong) {
      const size = embeddingSizeOf(config);
      if (!Number.isSafeInteger(size) || size < 1) throw wrong('embedding_size', 'an integer of 1 or more');
      checkPositions(config, wrong);
    },
    positions: (config) =>
      config.max_position_embeddings - (counting === 'token' ? config.pad_token_id + 1 : 0),
    encoder: (config, common) => bertEncoder(prefix, counting, config, common),
    heads: {
      SequenceClassification: (config, common, labels) => bertHead(prefix, head, config, common, labels),
      TokenClassification: (config, common, labels) =>
        tokenHead({ hiddenSize: config.hidden_size, dropout: headDropout(config) }, common, labels),
    },
  };
}

/** ELECTRA alone reads `embedding_size`; a BERT may have a key of this name from elsewhere. */
const embeddingSizeOf = ({ model_type: type, embedding_size, hidden_size }: BertConfig): number =>
  (type === 'electra' ? embedding_size : undefined) ?? hidden_size;

function bertEncoder(
  prefix: string,
  counting: 'place' | 'token',
  config: BertConfig,
  common: Common,
): Encoder {
  const { hidden_size: hiddenSize } = config;
  const embeddingSize = embeddingSizeOf(config);
  const embeddings = new BertEmbeddings({
    ...common,
    name: `${prefix}.embeddings`,
    vocabularySize: config.vocab_size,
    positions: config.max_position_embeddings,
    tokenTypes: config.type_vocab_size,
    size: embeddingSize,
    paddingId: config.pad_token_id,
    counting,
    epsilon: config.layer_norm_eps,
    hiddenDropout: config.hidden_dropout_prob,
  });
  const name = `${prefix}.embeddings_project`;
  const projection =
    embeddingSize === hiddenSize
      ? []
      : [new EmbeddingsProjection({ ...common, name, embeddingSize, hiddenSize })];
  const blocks = Array.from(
    { length: config.num_hidden_layers },
    (_, index) =>
      new TransformerBlock({
        ...common,
        name: `${prefix}.encoder.layer.${index}`,
        hiddenSize,
        intermediateSize: config.intermediate_size,
        heads: config.num_attention_heads,
        activation: config.hidden_act,
        epsilon: config.layer_norm_eps,
        hiddenDropout: config.hidden_dropout_prob,
        attentionDropout: config.attention_probs_dropout_prob,
      }),
  );
  return {
    connect({ inputIds, attentionMask, tokenTypeIds }: TokenInputs): SymbolicTensor {
      let hidden = embeddings.apply([inputIds, tokenTypeIds]) as SymbolicTensor;
      for (const layer of projection) hidden = layer.apply(hidden) as SymbolicTensor;
      for (const block of blocks) hidden = block.apply([hidden, attentionMask]) as SymbolicTensor;
      return hidden;
    },
  };
}

const headDropout = (config: BertConfig): number => config.classifier_dropout ?? config.hidden_dropout_prob;

function bertHead(
  prefix: string,
  kind: 'pooler' | HeadActivation,
  config: BertConfig,
  common: Common,
  labels: number,
): Head {
  const { hidden_size: hiddenSize } = config;
  const head = { ...common, name: 'classifier', hiddenSize, labels, dropout: headDropout(config) };
  const layers =
    kind === 'pooler'
      ? [new BertPooler({ ...common, name: `${prefix}.pooler`, hiddenSize }), new ClassificationHead(head)]
      : [new DenseClassificationHead({ ...head, activation: kind })];
  return {
    connect: (hidden) => layers.reduce((x, layer) => layer.apply(x) as SymbolicTensor, hidden),
  };
}

/** Devlin et al. (2019). */
export const bert: Family<BertConfig> = family({
  name: 'Bert',
  prefix: 'bert',
  counting: 'place',
  head: 'pooler',
});

/** Clark et al. (2020). */
export const electra: Family<BertConfig> = family({
  name: 'Electra',
  prefix: 'electra',
  counting: 'place',
  head: 'gelu',
  defaults: { embedding_size: 128, hidden_size: 256, num_attention_heads: 4, intermediate_size: 1024 },
});

const likeRoberta = { prefix: 'roberta', counting: 'token', head: 'tanh' } as const;

/** Liu et al. (2019). */
export const roberta: Family<BertConfig> = family({
  ...likeRoberta,
  name: 'Roberta',
  defaults: { vocab_size: 50265, pad_token_id: 1 },
});

/** Conneau et al. (2020): RoBERTa on a hundred languages. */
export const xlmRoberta: Family<BertConfig> = family({
  ...likeRoberta,
  name: 'XLMRoberta',
  defaults: { pad_token_id: 1 },
});

/** Martin et al. (2020): RoBERTa in French. */
export const camembert: Family<BertConfig> = family({
  ...likeRoberta,
  name: 'Camembert',
  defaults: { pad_token_id: 1 },
});
