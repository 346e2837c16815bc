import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { ModelConfig } from '../../config.js';
import type { Activation } from '../../layers/activations.js';
import { AttentionBias } from '../../layers/attention-bias.js';
import { ClassificationHead } from '../../layers/classification-head.js';
import { FinalNormalization } from '../../layers/normalization.js';
import { RotaryAngles } from '../../layers/rotary.js';
import type { Common, Encoder, Family, Head } from '../family.js';
import { ModernBertBlock } from './block.js';
import { ModernBertEmbeddings } from './embeddings.js';
import { type Pooling, PredictionHead } from './prediction-head.js';
import { type RotaryParameters, rotaryType } from '../rotary-parameters.js';

/** How far a layer's attention reaches. */
type LayerType = 'full_attention' | 'sliding_attention';

/** The configuration of ModernBERT; the keys with `?` say the same twice, as transformers 4 and as 5 write them. */
interface ModernBertConfig extends ModelConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly hidden_activation: Activation;
  readonly max_position_embeddings: number;
  readonly norm_eps: number;
  readonly norm_bias: boolean;
  readonly attention_bias: boolean;
  readonly mlp_bias: boolean;
  readonly attention_dropout: number;
  readonly embedding_dropout: number;
  readonly mlp_dropout: number;
  /** Places that a sliding window spans, half of them on each side. */
  readonly local_attention: number;
  readonly global_attn_every_n_layers?: number;
  readonly layer_types?: readonly LayerType[] | null;
  readonly global_rope_theta?: number;
  readonly local_rope_theta?: number | null;
  readonly rope_parameters?: Readonly<Partial<Record<LayerType, RotaryParameters | null>>> | null;
  readonly classifier_pooling: 'cls' | 'mean';
  readonly classifier_dropout: number;
  readonly classifier_bias: boolean;
  readonly classifier_activation: Activation;
}

/** Warner et al. (2024). Of its dropouts, all 0 as published, those on hidden states are of the kind `hidden`. */
export const modernbert: Family<ModernBertConfig> = {
  name: 'ModernBert',
  prefix: 'model',
  defaults: {
    vocab_size: 50368,
    hidden_size: 768,
    intermediate_size: 1152,
    num_hidden_layers: 22,
    num_attention_heads: 12,
    hidden_activation: 'gelu',
    max_position_embeddings: 8192,
    initializer_range: 0.02,
    norm_eps: 1e-5,
    norm_bias: false,
    pad_token_id: 50283,
    attention_bias: false,
    attention_dropout: 0,
    local_attention: 128,
    embedding_dropout: 0,
    mlp_bias: false,
    mlp_dropout: 0,
    classifier_pooling: 'cls',
    classifier_dropout: 0,
    classifier_bias: false,
    classifier_activation: 'gelu',
  },
  optional: [
    'global_attn_every_n_layers',
    'layer_types',
    'global_rope_theta',
    'local_rope_theta',
    'rope_parameters',
  ],
  keys: {
    sizes: [
      'vocab_size',
      'hidden_size',
      'intermediate_size',
      'num_hidden_layers',
      'num_attention_heads',
      'max_position_embeddings',
      'local_attention',
    ],
    rates: ['attention_dropout', 'embedding_dropout', 'mlp_dropout', 'classifier_dropout'],
    epsilon: 'norm_eps',
    activations: ['hidden_activation', 'classifier_activation'],
    width: ['hidden_size', 'num_attention_heads'],
  },
  check(config, wrong) {
    const { classifier_pooling: pooling, num_hidden_layers: layers } = config;
    if (pooling !== 'cls' && (pooling as string) !== 'mean')
      throw wrong('classifier_pooling', '"cls" or "mean"');
    const types = layerTypes(config);
    if (types.length !== layers || types.some((type) => !LAYER_TYPES.includes(type)))
      throw wrong('layer_types', `a list of ${layers} of ${LAYER_TYPES.join(', ')}`);
    for (const type of LAYER_TYPES) {
      if (rotaryType(config.rope_parameters?.[type]) !== 'default' || !(thetaOf(config, type) > 0))
        throw wrong('rope_parameters', 'of rope_type "default", with a rope_theta above 0');
    }
    if (Object.keys(config.rope_parameters ?? {}).some((key) => !LAYER_TYPES.includes(key as LayerType)))
      throw wrong('rope_parameters', `nothing but ${LAYER_TYPES.join(' and ')}, each with its own`);
    if (config.rope_scaling) throw wrong('rope_scaling', 'null');
    if ((config.hidden_size / config.num_attention_heads) % 2 !== 0)
      throw wrong('hidden_size', 'an even number of features for each of num_attention_heads');
  },
  positions: (config) => config.max_position_embeddings,
  encoder,
  heads: {
    SequenceClassification: (config, common, labels) =>
      head(config.classifier_pooling, config, common, labels),
    TokenClassification: (config, common, labels) => head('none', config, common, labels),
  },
};

const LAYER_TYPES: readonly LayerType[] = ['full_attention', 'sliding_attention'];

/** Every third layer, from the first on, attends to all places, unless the configuration says otherwise. */
function layerTypes(config: ModernBertConfig): readonly LayerType[] {
  const { layer_types: types, global_attn_every_n_layers: period = 3, num_hidden_layers: layers } = config;
  if (types) return types;
  return Array.from({ length: layers }, (_, index) => LAYER_TYPES[index % period === 0 ? 0 : 1]!);
}

function thetaOf(config: ModernBertConfig, type: LayerType): number {
  const global = config.global_rope_theta ?? 160_000;
  // transformers 4 has the global one where the local one is null.
  const local = config.local_rope_theta === null ? global : (config.local_rope_theta ?? 10_000);
  return config.rope_parameters?.[type]?.rope_theta ?? (type === 'full_attention' ? global : local);
}

function encoder(config: ModernBertConfig, common: Common): Encoder {
  const {
    hidden_size: hiddenSize,
    num_attention_heads: heads,
    norm_eps: epsilon,
    norm_bias: normBias,
  } = config;
  const embeddings = new ModernBertEmbeddings({
    ...common,
    name: 'model.embeddings',
    vocabularySize: config.vocab_size,
    size: hiddenSize,
    paddingId: config.pad_token_id,
    epsilon,
    normBias,
    hiddenDropout: config.embedding_dropout,
  });
  const types = layerTypes(config);
  const blocks = types.map(
    (_, index) =>
      new ModernBertBlock({
        ...common,
        name: `model.layers.${index}`,
        hiddenSize,
        intermediateSize: config.intermediate_size,
        heads,
        activation: config.hidden_activation,
        epsilon,
        attentionNorm: index > 0,
        attentionBias: config.attention_bias,
        feedForwardBias: config.mlp_bias,
        normBias,
        attentionDropout: config.attention_dropout,
        hiddenDropout: config.mlp_dropout,
      }),
  );
  const norm = new FinalNormalization({
    ...common,
    name: 'model.final_norm',
    size: hiddenSize,
    epsilon,
    kind: normBias ? 'layer' : 'layer without offset',
  });
  return {
    connect({ inputIds, attentionMask, tokenTypeIds }) {
      const shared = (type: LayerType): readonly [SymbolicTensor, SymbolicTensor] => [
        new AttentionBias({
          name: `model.attention_bias.${type}`,
          window: type === 'full_attention' ? null : Math.floor(config.local_attention / 2),
        }).apply(attentionMask) as SymbolicTensor,
        new RotaryAngles({
          name: `model.rotary_emb.${type}`,
          theta: thetaOf(config, type),
          headSize: hiddenSize / heads,
        }).apply(inputIds) as SymbolicTensor,
      ];
      const byType = new Map([...new Set(types)].map((type) => [type, shared(type)]));
      let hidden = embeddings.apply([inputIds, tokenTypeIds]) as SymbolicTensor;
      for (const [index, block] of blocks.entries())
        hidden = block.apply([hidden, ...byType.get(types[index]!)!]) as SymbolicTensor;
      return norm.apply(hidden) as SymbolicTensor;
    },
  };
}

function head(pooling: Pooling, config: ModernBertConfig, common: Common, labels: number): Head {
  const { hidden_size: hiddenSize } = config;
  const prediction = new PredictionHead({
    ...common,
    name: 'head',
    hiddenSize,
    pooling,
    activation: config.classifier_activation,
    epsilon: config.norm_eps,
    denseBias: config.classifier_bias,
    normBias: config.norm_bias,
  });
  const classifier = new ClassificationHead({
    ...common,
    name: 'classifier',
    hiddenSize,
    labels,
    dropout: config.classifier_dropout,
  });
  return {
    connect: (hidden, { attentionMask }) =>
      classifier.apply(prediction.apply([hidden, attentionMask])) as SymbolicTensor,
  };
}
