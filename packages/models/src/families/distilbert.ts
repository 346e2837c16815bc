import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { ModelConfig } from '../config.js';
import type { Activation } from '../layers/activations.js';
import { BertEmbeddings } from '../layers/bert-embeddings.js';
import { ClassificationHead } from '../layers/classification-head.js';
import { PreClassifier } from '../layers/pre-classifier.js';
import { type BlockNames, TransformerBlock } from '../layers/transformer-block.js';
import type { Common, Encoder, Family, Head } from './family.js';
import { tokenHead } from './token-head.js';

/** The configuration of DistilBERT, in its own words. */
interface DistilBertConfig extends ModelConfig {
  readonly dim: number;
  readonly n_layers: number;
  readonly n_heads: number;
  readonly hidden_dim: number;
  readonly activation: Activation;
  readonly dropout: number;
  readonly attention_dropout: number;
  readonly seq_classif_dropout: number;
  readonly max_position_embeddings: number;
  readonly sinusoidal_pos_embds: boolean;
}

const NAMES: BlockNames = {
  query: 'attention.q_lin',
  key: 'attention.k_lin',
  value: 'attention.v_lin',
  projection: 'attention.out_lin',
  attentionNorm: 'sa_layer_norm',
  inner: 'ffn.lin1',
  outer: 'ffn.lin2',
  outputNorm: 'output_layer_norm',
};

const EPSILON = 1e-12;

/** Sanh et al. (2019): BERT with half the layers, no token types and no pooler. */
export const distilbert: Family<DistilBertConfig> = {
  name: 'DistilBert',
  prefix: 'distilbert',
  defaults: {
    vocab_size: 30522,
    max_position_embeddings: 512,
    sinusoidal_pos_embds: false,
    n_layers: 6,
    n_heads: 12,
    dim: 768,
    hidden_dim: 3072,
    dropout: 0.1,
    attention_dropout: 0.1,
    activation: 'gelu',
    initializer_range: 0.02,
    seq_classif_dropout: 0.2,
    pad_token_id: 0,
  },
  aliases: { hidden_size: 'dim', num_attention_heads: 'n_heads', num_hidden_layers: 'n_layers' },
  keys: {
    sizes: ['vocab_size', 'max_position_embeddings', 'n_layers', 'n_heads', 'dim', 'hidden_dim'],
    rates: ['dropout', 'attention_dropout', 'seq_classif_dropout'],
    activations: ['activation'],
    width: ['dim', 'n_heads'],
  },
  positions: (config) => config.max_position_embeddings,
  encoder,
  heads: {
    SequenceClassification: head,
    TokenClassification: (config, common, labels) =>
      tokenHead({ hiddenSize: config.dim, dropout: config.dropout }, common, labels),
  },
};

function encoder(config: DistilBertConfig, common: Common): Encoder {
  const embeddings = new BertEmbeddings({
    ...common,
    name: 'distilbert.embeddings',
    vocabularySize: config.vocab_size,
    positions: config.max_position_embeddings,
    tokenTypes: 0,
    size: config.dim,
    paddingId: config.pad_token_id,
    counting: 'place',
    sinusoidal: config.sinusoidal_pos_embds,
    epsilon: EPSILON,
    hiddenDropout: config.dropout,
  });
  const blocks = Array.from(
    { length: config.n_layers },
    (_, index) =>
      new TransformerBlock({
        ...common,
        name: `distilbert.transformer.layer.${index}`,
        names: NAMES,
        hiddenSize: config.dim,
        intermediateSize: config.hidden_dim,
        heads: config.n_heads,
        activation: config.activation,
        epsilon: EPSILON,
        hiddenDropout: config.dropout,
        undropped: 'projection',
        attentionDropout: config.attention_dropout,
      }),
  );
  return {
    connect({ inputIds, attentionMask, tokenTypeIds }) {
      const embedded = embeddings.apply([inputIds, tokenTypeIds]) as SymbolicTensor;
      return blocks.reduce((x, block) => block.apply([x, attentionMask]) as SymbolicTensor, embedded);
    },
  };
}

/** classifier(drop(relu(pre_classifier(first token)))). */
function head({ dim, seq_classif_dropout: dropout }: DistilBertConfig, common: Common, labels: number): Head {
  const inner = new PreClassifier({ ...common, name: 'pre_classifier', hiddenSize: dim });
  const classifier = new ClassificationHead({
    ...common,
    name: 'classifier',
    hiddenSize: dim,
    labels,
    dropout,
  });
  return { connect: (hidden) => classifier.apply(inner.apply(hidden)) as SymbolicTensor };
}
