import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { BertEmbeddings } from '../layers/bert-embeddings.js';
import { DenseClassificationHead } from '../layers/dense-classification-head.js';
import { RelativePositionBias } from '../layers/relative-position-bias.js';
import { type BlockNames, TransformerBlock } from '../layers/transformer-block.js';
import type { BertConfig } from './bert.js';
import type { Common, Encoder, Family, Head } from './family.js';
import { tokenHead } from './token-head.js';

/** The configuration of MPNet. */
interface MPNetConfig extends BertConfig {
  readonly relative_attention_num_buckets: number;
}

const NAMES: BlockNames = {
  query: 'attention.attn.q',
  key: 'attention.attn.k',
  value: 'attention.attn.v',
  projection: 'attention.attn.o',
  attentionNorm: 'attention.LayerNorm',
  inner: 'intermediate.dense',
  outer: 'output.dense',
  outputNorm: 'output.LayerNorm',
};

/** The padding's id in the reference whatever `pad_token_id` says. */
const PADDING_ID = 1;
/** Buckets of distances in the reference whatever `relative_attention_num_buckets`, the table's rows, says. */
const BUCKETS = 32;

/** Song et al. (2020): RoBERTa's layout without token types and, added to all layers' scores, a bias of the distance. */
export const mpnet: Family<MPNetConfig> = {
  name: 'MPNet',
  prefix: 'mpnet',
  defaults: {
    vocab_size: 30527,
    hidden_size: 768,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    intermediate_size: 3072,
    hidden_act: 'gelu',
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.1,
    max_position_embeddings: 512,
    initializer_range: 0.02,
    layer_norm_eps: 1e-12,
    relative_attention_num_buckets: BUCKETS,
    pad_token_id: PADDING_ID,
  },
  keys: {
    sizes: [
      'vocab_size',
      'hidden_size',
      'num_hidden_layers',
      'num_attention_heads',
      'intermediate_size',
      'max_position_embeddings',
      'relative_attention_num_buckets',
    ],
    rates: ['hidden_dropout_prob', 'attention_probs_dropout_prob'],
    epsilon: 'layer_norm_eps',
    activations: ['hidden_act'],
    width: ['hidden_size', 'num_attention_heads'],
  },
  check({ relative_attention_num_buckets: rows, pad_token_id: padding }, wrong) {
    if (rows < BUCKETS) throw wrong('relative_attention_num_buckets', `${BUCKETS} or more`);
    if (padding !== PADDING_ID) throw wrong('pad_token_id', `${PADDING_ID}, which MPNet takes for granted`);
  },
  positions: (config) => config.max_position_embeddings - PADDING_ID - 1,
  encoder,
  heads: {
    SequenceClassification: head,
    TokenClassification: (config, common, labels) =>
      tokenHead({ hiddenSize: config.hidden_size, dropout: config.hidden_dropout_prob }, common, labels),
  },
};

function encoder(config: MPNetConfig, common: Common): Encoder {
  const { hidden_size: hiddenSize, num_attention_heads: heads } = config;
  const embeddings = new BertEmbeddings({
    ...common,
    name: 'mpnet.embeddings',
    vocabularySize: config.vocab_size,
    positions: config.max_position_embeddings,
    tokenTypes: 0,
    size: hiddenSize,
    paddingId: PADDING_ID,
    counting: 'token',
    epsilon: config.layer_norm_eps,
    hiddenDropout: config.hidden_dropout_prob,
  });
  const distances = new RelativePositionBias({
    ...common,
    name: 'mpnet.encoder.relative_attention_bias',
    rows: config.relative_attention_num_buckets,
    buckets: BUCKETS,
    heads,
  });
  const blocks = Array.from(
    { length: config.num_hidden_layers },
    (_, index) =>
      new TransformerBlock({
        ...common,
        name: `mpnet.encoder.layer.${index}`,
        names: NAMES,
        hiddenSize,
        intermediateSize: config.intermediate_size,
        heads,
        activation: config.hidden_act,
        epsilon: config.layer_norm_eps,
        hiddenDropout: config.hidden_dropout_prob,
        attentionDropout: config.attention_probs_dropout_prob,
      }),
  );
  return {
    connect({ inputIds, attentionMask, tokenTypeIds }) {
      const bias = distances.apply(attentionMask) as SymbolicTensor;
      const embedded = embeddings.apply([inputIds, tokenTypeIds]) as SymbolicTensor;
      return blocks.reduce((x, block) => block.apply([x, attentionMask, bias]) as SymbolicTensor, embedded);
    },
  };
}

function head(config: MPNetConfig, common: Common, labels: number): Head {
  const { hidden_size: hiddenSize, hidden_dropout_prob: dropout } = config;
  const layer = new DenseClassificationHead({
    ...common,
    name: 'classifier',
    hiddenSize,
    labels,
    dropout,
    activation: 'tanh',
  });
  return { connect: (hidden) => layer.apply(hidden) as SymbolicTensor };
}
