import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { ModelConfig } from '../config.js';
import type { Common, Encoder, Family, Head } from '../families.js';
import { ClassificationHead } from '../layers/classification-head.js';
import { type Activation, ACTIVATIONS } from '../layers/transformer-block.js';
import { ContextPooler } from './context-pooler.js';
import { DebertaBlock } from './deberta-block.js';
import { DebertaConvolution } from './deberta-convolution.js';
import { DebertaEmbeddings } from './deberta-embeddings.js';
import type { PositionTerm } from './projections.js';
import { RelativeTable } from './relative-table.js';

/** The keys of a config.json that only DeBERTas have. */
interface DebertaKeys {
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
  readonly cls_dropout?: number | null;
}

function keysOf(config: ModelConfig): DebertaKeys {
  return config as ModelConfig & DebertaKeys;
}

/** `pos_att_type` as a list: older files have "c2p|p2c". */
function termsOf({ pos_att_type: types }: DebertaKeys): PositionTerm[] {
  const names = typeof types === 'string' ? types.toLowerCase().split('|') : (types ?? []);
  return names.map((name) => name.trim()).filter((name) => name !== '') as PositionTerm[];
}

function encoder(config: ModelConfig, common: Common): Encoder {
  const { hidden_size: hiddenSize, layer_norm_eps: epsilon, hidden_dropout_prob: hiddenDropout } = config;
  const keys = keysOf(config);
  const maxDistance =
    keys.max_relative_positions > 0 ? keys.max_relative_positions : config.max_position_embeddings;
  const second = config.model_type === 'deberta-v2';
  const buckets = (second && keys.position_buckets) || -1;
  const rows = { span: buckets > 0 ? buckets : maxDistance, buckets, maxDistance };
  const relative = keys.relative_attention;
  const shared = { ...common, hiddenSize, epsilon, hiddenDropout };

  const embeddings = new DebertaEmbeddings({
    ...shared,
    name: 'deberta.embeddings',
    vocabularySize: config.vocab_size,
    positions: keys.position_biased_input ? config.max_position_embeddings : 0,
    tokenTypes: config.type_vocab_size,
    embeddingSize: config.embedding_size ?? hiddenSize,
  });
  const normalized = second && /\blayer_norm\b/i.test(keys.norm_rel_ebd ?? '');
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
        terms: termsOf(keys),
        relative,
        shared: second && (keys.share_att_key ?? false),
        fused: !second,
      }),
  );
  const kernelSize = (second && keys.conv_kernel_size) || 0;
  const convolution =
    kernelSize > 0
      ? [
          new DebertaConvolution({
            ...shared,
            name: 'deberta.encoder.conv',
            kernelSize,
            activation: keys.conv_act ?? 'tanh',
          }),
        ]
      : [];
  return {
    layers: [embeddings, ...table, ...blocks, ...convolution],
    connect: ({ inputIds, attentionMask, tokenTypeIds }) => {
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

function head(config: ModelConfig, labels: number, common: Common): Head {
  const { hidden_size: hiddenSize } = config;
  const { pooler_dropout: hiddenDropout, pooler_hidden_act: activation, cls_dropout } = keysOf(config);
  const pooler = new ContextPooler({ ...common, name: 'pooler', hiddenSize, activation, hiddenDropout });
  const dropout = cls_dropout ?? config.hidden_dropout_prob;
  const classifier = new ClassificationHead({ ...common, name: 'classifier', hiddenSize, labels, dropout });
  return (hidden) => classifier.apply(pooler.apply(hidden)) as SymbolicTensor;
}

function refuses(config: ModelConfig): readonly [string, string] | undefined {
  const keys = keysOf(config);
  const kernelSize = keys.conv_kernel_size ?? 0;
  if (termsOf(keys).some((term) => !['c2p', 'p2c'].includes(term)))
    return ['pos_att_type', 'made of c2p and p2c'];
  if (!Object.hasOwn(ACTIVATIONS, keys.pooler_hidden_act))
    return ['pooler_hidden_act', `one of ${Object.keys(ACTIVATIONS).join(', ')}`];
  if (!(keys.pooler_dropout >= 0 && keys.pooler_dropout < 1)) return ['pooler_dropout', 'a number in [0, 1)'];
  if (config.talking_head) return ['talking_head', 'false'];
  if (kernelSize > 0 && kernelSize % 2 !== 1) return ['conv_kernel_size', 'an odd number, or 0 for none'];
  if (kernelSize > 0 && !Object.hasOwn(ACTIVATIONS, keys.conv_act ?? 'tanh'))
    return ['conv_act', `one of ${Object.keys(ACTIVATIONS).join(', ')}`];
  if ((config.conv_groups ?? 1) !== 1) return ['conv_groups', '1'];
  if (
    (config.attention_head_size ?? config.hidden_size / config.num_attention_heads) !==
    config.hidden_size / config.num_attention_heads
  )
    return ['attention_head_size', 'hidden_size / num_attention_heads'];
  if ((config.pooler_hidden_size ?? config.hidden_size) !== config.hidden_size)
    return ['pooler_hidden_size', 'the hidden_size'];
  return undefined;
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
};

/** DeBERTa (He et al., 2021): disentangled attention, one row of the relative table for each distance. */
export const DEBERTA: Family = {
  architecture: 'DebertaForSequenceClassification',
  firstPosition: () => 0,
  encoder,
  head,
  refuses,
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
export const DEBERTA_V2: Family = {
  ...DEBERTA,
  architecture: 'DebertaV2ForSequenceClassification',
  defaults: {
    ...DEFAULTS,
    vocab_size: 128100,
    hidden_size: 1536,
    num_hidden_layers: 24,
    num_attention_heads: 24,
    intermediate_size: 6144,
  },
};
