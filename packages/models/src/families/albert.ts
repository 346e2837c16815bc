import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { BertEmbeddings } from '../layers/bert-embeddings.js';
import { BertPooler } from '../layers/bert-pooler.js';
import { ClassificationHead } from '../layers/classification-head.js';
import { EmbeddingsProjection } from '../layers/embeddings-projection.js';
import { SharedBlock } from '../layers/shared-block.js';
import { type BlockNames, TransformerBlock } from '../layers/transformer-block.js';
import type { BertConfig } from './bert.js';
import { type Common, type Encoder, type Family, type Head, checkPositions } from './family.js';
import { tokenHead } from './token-head.js';

/** The configuration of ALBERT. */
interface AlbertConfig extends BertConfig {
  readonly embedding_size: number;
  /** Groups of layers that share their weights. */
  readonly num_hidden_groups: number;
  /** Blocks in a group; a layer runs through all of its group's. */
  readonly inner_group_num: number;
  readonly classifier_dropout_prob: number | null;
}

const NAMES: BlockNames = {
  query: 'attention.query',
  key: 'attention.key',
  value: 'attention.value',
  projection: 'attention.dense',
  attentionNorm: 'attention.LayerNorm',
  inner: 'ffn',
  outer: 'ffn_output',
  outputNorm: 'full_layer_layer_norm',
};

/** Lan et al. (2020): narrow embeddings and one block's weights for all layers. */
export const albert: Family<AlbertConfig> = {
  name: 'Albert',
  prefix: 'albert',
  defaults: {
    vocab_size: 30000,
    embedding_size: 128,
    hidden_size: 4096,
    num_hidden_layers: 12,
    num_hidden_groups: 1,
    num_attention_heads: 64,
    intermediate_size: 16384,
    inner_group_num: 1,
    hidden_act: 'gelu_new',
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
    max_position_embeddings: 512,
    type_vocab_size: 2,
    initializer_range: 0.02,
    layer_norm_eps: 1e-12,
    classifier_dropout_prob: 0.1,
    pad_token_id: 0,
  },
  keys: {
    sizes: [
      'vocab_size',
      'embedding_size',
      'hidden_size',
      'num_hidden_layers',
      'num_hidden_groups',
      'num_attention_heads',
      'intermediate_size',
      'inner_group_num',
      'max_position_embeddings',
      'type_vocab_size',
    ],
    rates: ['hidden_dropout_prob', 'attention_probs_dropout_prob', 'classifier_dropout_prob'],
    epsilon: 'layer_norm_eps',
    activations: ['hidden_act'],
    width: ['hidden_size', 'num_attention_heads'],
  },
  check(config, wrong) {
    const { num_hidden_groups: groups, num_hidden_layers: layers } = config;
    checkPositions(config, wrong);
    if (groups > layers) throw wrong('num_hidden_groups', `at most num_hidden_layers (${layers})`);
  },
  positions: (config) => config.max_position_embeddings,
  encoder,
  heads: {
    SequenceClassification: head,
    TokenClassification: (config, common, labels) =>
      tokenHead(
        {
          hiddenSize: config.hidden_size,
          dropout: config.classifier_dropout_prob ?? config.hidden_dropout_prob,
        },
        common,
        labels,
      ),
  },
};

function encoder(config: AlbertConfig, common: Common): Encoder {
  const { embedding_size: embeddingSize, hidden_size: hiddenSize } = config;
  const embeddings = new BertEmbeddings({
    ...common,
    name: 'albert.embeddings',
    vocabularySize: config.vocab_size,
    positions: config.max_position_embeddings,
    tokenTypes: config.type_vocab_size,
    size: embeddingSize,
    paddingId: config.pad_token_id,
    counting: 'place',
    epsilon: config.layer_norm_eps,
    hiddenDropout: config.hidden_dropout_prob,
  });
  const name = 'albert.encoder.embedding_hidden_mapping_in';
  const projection = new EmbeddingsProjection({ ...common, name, embeddingSize, hiddenSize });
  const blocks = blockNames(config).map((owner, place, owners) => {
    const visit = owners.slice(0, place).filter((earlier) => earlier === owner).length;
    if (visit > 0) return new SharedBlock({ ...common, name: `${owner}.visit.${visit}`, owner });
    return new TransformerBlock({
      ...common,
      name: owner,
      names: NAMES,
      hiddenSize,
      intermediateSize: config.intermediate_size,
      heads: config.num_attention_heads,
      activation: config.hidden_act,
      epsilon: config.layer_norm_eps,
      hiddenDropout: config.hidden_dropout_prob,
      undropped: 'outer',
      attentionDropout: config.attention_probs_dropout_prob,
    });
  });
  return {
    connect({ inputIds, attentionMask, tokenTypeIds }) {
      const embedded = projection.apply(embeddings.apply([inputIds, tokenTypeIds])) as SymbolicTensor;
      return blocks.reduce((x, block) => block.apply([x, attentionMask]) as SymbolicTensor, embedded);
    },
  };
}

/** The block that each hidden layer runs through, from the input up. */
function blockNames(config: AlbertConfig): string[] {
  const { num_hidden_layers: layers, num_hidden_groups: groups, inner_group_num: inner } = config;
  return Array.from({ length: layers * inner }, (_, place) => {
    const group = Math.trunc(Math.floor(place / inner) / (layers / groups));
    return `albert.encoder.albert_layer_groups.${group}.albert_layers.${place % inner}`;
  });
}

function head(config: AlbertConfig, common: Common, labels: number): Head {
  const { hidden_size: hiddenSize } = config;
  const pooler = new BertPooler({ ...common, name: 'albert.pooler', part: '', hiddenSize });
  const classifier = new ClassificationHead({
    ...common,
    name: 'classifier',
    hiddenSize,
    labels,
    dropout: config.classifier_dropout_prob ?? config.hidden_dropout_prob,
  });
  return { connect: (hidden) => classifier.apply(pooler.apply(hidden)) as SymbolicTensor };
}
