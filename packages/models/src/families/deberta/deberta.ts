import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { type Activation, ACTIVATIONS } from '../../layers/activations.js';
import { ClassificationHead } from '../../layers/classification-head.js';
import type { BertConfig } from '../bert.js';
import type { Common, ConfigKeys, Encoder, Family, Head } from '../family.js';
import { tokenHead } from '../token-head.js';
import { ContextPooler } from './context-pooler.js';
import { DebertaBlock } from './deberta-block.js';
import { DebertaConvolution } from './deberta-convolution.js';
import { DebertaEmbeddings } from './deberta-embeddings.js';
import type { PositionTerm } from './projections.js';
import { RelativeTable } from './relative-table.js';

/** The configuration of a DeBERTa; what is optional v2 alone has. */
interface DebertaConfig extends BertConfig {
  readonly relative_attention: boolean;
  readonly max_relative_positions: number;
  readonly position_buckets?: number;
  readonly pos_att_type: string | readonly string[] | null;
  readonly position_biased_input: boolean;
  readonly share_att_key?: boolean;
  readonly norm_rel_ebd?: string;
  readonly conv_kernel_size?: number;
  readonly conv_act?: Activation;
  readonly pooler_dropout: number;
  readonly pooler_hidden_act: Activation;
  readonly cls_dropout: number | null;
}

/** `pos_att_type` as a list: older files have "c2p|p2c". */
function termsOf({ pos_att_type: types }: DebertaConfig): PositionTerm[] {
  const names = typeof types === 'string' ? types.toLowerCase().split('|') : (types ?? []);
  return names.map((name) => name.trim()).filter((name) => name !== '') as PositionTerm[];
}

function encoder(config: DebertaConfig, common: Common): Encoder {
  const { hidden_size: hiddenSize, layer_norm_eps: epsilon, hidden_dropout_prob: hiddenDropout } = config;
  const maxDistance =
    config.max_relative_positions > 0 ? config.max_relative_positions : config.max_position_embeddings;
  const second = config.model_type === 'deberta-v2';
  const buckets = (second && config.position_buckets) || -1;
  const rows = { span: buckets > 0 ? buckets : maxDistance, buckets, maxDistance };
  const relative = config.relative_attention;
  const shared = { ...common, hiddenSize, epsilon, hiddenDropout };

  const embeddings = new DebertaEmbeddings({
    ...shared,
    name: 'deberta.embeddings',
    vocabularySize: config.vocab_size,
    positions: config.position_biased_input ? config.max_position_embeddings : 0,
    tokenTypes: config.type_vocab_size,
    embeddingSize: config.embedding_size ?? hiddenSize,
    paddingId: config.pad_token_id,
  });
  const normalized = second && /\blayer_norm\b/i.test(config.norm_rel_ebd ?? '');
  const table = relative
    ? [new RelativeTable({ ...shared, ...rows, name: 'deberta.encoder', normalized })]
    : [];
  const blocks = Array.from(
    { length: config.num_hidden_layers },
    (_, index) =>
      new DebertaBlock({
        ...shared,
        ...rows,
        name: `deberta.encoder.layer.${index}`,
        intermediateSize: config.intermediate_size,
        heads: config.num_attention_heads,
        activation: config.hidden_act,
        attentionDropout: config.attention_probs_dropout_prob,
        terms: termsOf(config),
        relative,
        shared: second && (config.share_att_key ?? false),
        fused: !second,
      }),
  );
  const kernelSize = (second && config.conv_kernel_size) || 0;
  const convolution =
    kernelSize > 0
      ? [
          new DebertaConvolution({
            ...shared,
            name: 'deberta.encoder.conv',
            kernelSize,
            activation: config.conv_act ?? 'tanh',
          }),
        ]
      : [];
  return {
    connect({ inputIds, attentionMask, tokenTypeIds }) {
      const first = embeddings.apply([inputIds, tokenTypeIds, attentionMask]) as SymbolicTensor;
      const vectors = table.map((layer) => layer.apply(inputIds) as SymbolicTensor);
      let hidden = first;
      for (const [index, block] of blocks.entries()) {
        hidden = block.apply([hidden, attentionMask, ...vectors]) as SymbolicTensor;
        for (const layer of index === 0 ? convolution : [])
          hidden = layer.apply([first, hidden, attentionMask]) as SymbolicTensor;
      }
      return hidden;
    },
  };
}

/** classifier(drop(pooler(first token))). */
function head(config: DebertaConfig, common: Common, labels: number): Head {
  const { hidden_size: hiddenSize, pooler_dropout: hiddenDropout, pooler_hidden_act: activation } = config;
  const pooler = new ContextPooler({ ...common, name: 'pooler', hiddenSize, activation, hiddenDropout });
  const dropout = config.cls_dropout ?? config.hidden_dropout_prob;
  const classifier = new ClassificationHead({ ...common, name: 'classifier', hiddenSize, labels, dropout });
  return { connect: (hidden) => classifier.apply(pooler.apply(hidden)) as SymbolicTensor };
}

function check(config: DebertaConfig, wrong: (key: string, wanted: string) => Error): void {
  const { hidden_size: hiddenSize, type_vocab_size: types, conv_kernel_size: kernelSize = 0 } = config;
  if (!Number.isSafeInteger(types) || types < 0) throw wrong('type_vocab_size', 'an integer of 0 or more');
  if (termsOf(config).some((term) => !['c2p', 'p2c'].includes(term)))
    throw wrong('pos_att_type', 'made of c2p and p2c');
  if (config.talking_head) throw wrong('talking_head', 'false');
  if (kernelSize > 0 && kernelSize % 2 !== 1) throw wrong('conv_kernel_size', 'an odd number, or 0 for none');
  if (!Object.hasOwn(ACTIVATIONS, config.conv_act ?? 'tanh'))
    throw wrong('conv_act', `one of ${Object.keys(ACTIVATIONS).join(', ')}`);
  if ((config.conv_groups ?? 1) !== 1) throw wrong('conv_groups', '1');
  const size = hiddenSize / config.num_attention_heads;
  if ((config.attention_head_size ?? size) !== size)
    throw wrong('attention_head_size', `hidden_size / num_attention_heads (${size})`);
  if ((config.pooler_hidden_size ?? hiddenSize) !== hiddenSize)
    throw wrong('pooler_hidden_size', `the hidden_size (${hiddenSize})`);
}

const DEFAULTS = {
  hidden_act: 'gelu',
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  max_position_embeddings: 512,
  type_vocab_size: 0,
  initializer_range: 0.02,
  layer_norm_eps: 1e-7,
  relative_attention: false,
  max_relative_positions: -1,
  pad_token_id: 0,
  position_biased_input: true,
  pos_att_type: null,
  pooler_dropout: 0,
  pooler_hidden_act: 'gelu',
  cls_dropout: null,
};

const KEYS: ConfigKeys = {
  sizes: [
    'vocab_size',
    'hidden_size',
    'num_hidden_layers',
    'num_attention_heads',
    'intermediate_size',
    'max_position_embeddings',
  ],
  rates: ['hidden_dropout_prob', 'attention_probs_dropout_prob', 'pooler_dropout', 'cls_dropout'],
  activations: ['hidden_act', 'pooler_hidden_act'],
  epsilon: 'layer_norm_eps',
  width: ['hidden_size', 'num_attention_heads'],
};

/** DeBERTa (He et al., 2021): disentangled attention, one row of the relative table for each distance. */
export const deberta: Family<DebertaConfig> = {
  name: 'Deberta',
  prefix: 'deberta',
  keys: KEYS,
  optional: [
    'embedding_size',
    'position_buckets',
    'share_att_key',
    'norm_rel_ebd',
    'conv_kernel_size',
    'conv_act',
  ],
  check,
  positions: (config) => config.max_position_embeddings,
  encoder,
  heads: {
    SequenceClassification: head,
    TokenClassification: ({ hidden_size: hiddenSize, hidden_dropout_prob: dropout }, common, labels) =>
      tokenHead({ hiddenSize, dropout }, common, labels),
  },
  defaults: {
    ...DEFAULTS,
    vocab_size: 50265,
    hidden_size: 768,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    intermediate_size: 3072,
  },
};

/** DeBERTa v2 and v3 (He et al., 2023): distances in logarithmic buckets, positions through the content's projections. */
export const debertaV2: Family<DebertaConfig> = {
  ...deberta,
  name: 'DebertaV2',
  defaults: {
    ...DEFAULTS,
    vocab_size: 128100,
    hidden_size: 1536,
    num_hidden_layers: 24,
    num_attention_heads: 24,
    intermediate_size: 6144,
  },
};
