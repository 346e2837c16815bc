import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { ModelConfig } from '../../config.js';
import type { Activation } from '../../layers/activations.js';
import { AttentionBias } from '../../layers/attention-bias.js';
import { ClassificationHead } from '../../layers/classification-head.js';
import { FinalNormalization } from '../../layers/normalization.js';
import { RotaryAngles } from '../../layers/rotary.js';
import { TokenEmbeddings } from '../../layers/token-embeddings.js';
import type { Common, Encoder, Family, Head } from '../family.js';
import { tokenHead } from '../token-head.js';
import { EuroBertBlock } from './block.js';
import { DensePooler, type Pooling } from './dense-pooler.js';
import { type RotaryParameters, rotaryType } from '../rotary-parameters.js';

/** The configuration of EuroBERT. */
interface EuroBertConfig extends ModelConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  /** Null: as many as query heads. */
  readonly num_key_value_heads: number | null;
  /** Null: hidden_size / num_attention_heads. */
  readonly head_dim: number | null;
  readonly hidden_act: Activation;
  readonly max_position_embeddings: number;
  readonly rms_norm_eps: number;
  readonly attention_bias: boolean;
  readonly attention_dropout: number;
  readonly mlp_bias: boolean;
  /** As transformers 4 writes it. */
  readonly rope_theta?: number;
  /** As transformers 5 writes it. */
  readonly rope_parameters?: RotaryParameters | null;
  readonly classifier_pooling: Pooling;
}

/** Boizard et al. (2025): the layout of Llama, reading in both directions. */
export const eurobert: Family<EuroBertConfig> = {
  name: 'EuroBert',
  prefix: 'model',
  defaults: {
    vocab_size: 128256,
    hidden_size: 768,
    intermediate_size: 3072,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    num_key_value_heads: null,
    head_dim: null,
    hidden_act: 'silu',
    max_position_embeddings: 8192,
    initializer_range: 0.02,
    rms_norm_eps: 1e-5,
    pad_token_id: 128001,
    attention_bias: false,
    attention_dropout: 0,
    mlp_bias: false,
    classifier_pooling: 'late',
  },
  optional: ['rope_theta', 'rope_parameters'],
  aliases: { clf_pooling: 'classifier_pooling' },
  keys: {
    sizes: [
      'vocab_size',
      'hidden_size',
      'intermediate_size',
      'num_hidden_layers',
      'num_attention_heads',
      'max_position_embeddings',
    ],
    rates: ['attention_dropout'],
    epsilon: 'rms_norm_eps',
    activations: ['hidden_act'],
    width: ['hidden_size', 'num_attention_heads'],
  },
  check(config, wrong) {
    const { num_attention_heads: heads, rope_parameters: rope } = config;
    const keyHeads = keyHeadsOf(config);
    if (!Number.isSafeInteger(keyHeads) || keyHeads < 1 || heads % keyHeads !== 0)
      throw wrong('num_key_value_heads', `a divisor of num_attention_heads (${heads})`);
    const size = headSizeOf(config);
    if (!Number.isSafeInteger(size) || size < 2 || size % 2 !== 0) throw wrong('head_dim', 'an even number');
    if (!['bos', 'mean', 'late'].includes(config.classifier_pooling))
      throw wrong('classifier_pooling', '"bos", "mean" or "late"');
    if (rotaryType(rope) !== 'default' || !(thetaOf(config) > 0))
      throw wrong('rope_parameters', 'of rope_type "default", with a rope_theta above 0');
    if (config.rope_scaling) throw wrong('rope_scaling', 'null');
  },
  positions: (config) => config.max_position_embeddings,
  encoder,
  heads: {
    SequenceClassification: head,
    TokenClassification: (config, common, labels) =>
      tokenHead({ hiddenSize: config.hidden_size, dropout: 0 }, common, labels),
  },
};

const keyHeadsOf = (config: EuroBertConfig): number =>
  config.num_key_value_heads ?? config.num_attention_heads;
const headSizeOf = (config: EuroBertConfig): number =>
  config.head_dim ?? config.hidden_size / config.num_attention_heads;
const thetaOf = (config: EuroBertConfig): number =>
  config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10_000;

function encoder(config: EuroBertConfig, common: Common): Encoder {
  const { hidden_size: hiddenSize, rms_norm_eps: epsilon } = config;
  const embeddings = new TokenEmbeddings({
    ...common,
    name: 'model.embed_tokens',
    vocabularySize: config.vocab_size,
    size: hiddenSize,
    paddingId: config.pad_token_id,
  });
  const blocks = Array.from(
    { length: config.num_hidden_layers },
    (_, index) =>
      new EuroBertBlock({
        ...common,
        name: `model.layers.${index}`,
        hiddenSize,
        intermediateSize: config.intermediate_size,
        headSize: headSizeOf(config),
        heads: config.num_attention_heads,
        keyHeads: keyHeadsOf(config),
        activation: config.hidden_act,
        epsilon,
        attentionBias: config.attention_bias,
        feedForwardBias: config.mlp_bias,
        attentionDropout: config.attention_dropout,
      }),
  );
  const norm = new FinalNormalization({
    ...common,
    name: 'model.norm',
    size: hiddenSize,
    epsilon,
    kind: 'squares',
  });
  return {
    connect({ inputIds, attentionMask, tokenTypeIds }) {
      const bias = new AttentionBias({ name: 'model.attention_bias', window: null }).apply(attentionMask);
      const rotary = { name: 'model.rotary_emb', theta: thetaOf(config), headSize: headSizeOf(config) };
      const angles = new RotaryAngles(rotary).apply(inputIds);
      let hidden = embeddings.apply([inputIds, tokenTypeIds]) as SymbolicTensor;
      for (const block of blocks)
        hidden = block.apply([hidden, bias as SymbolicTensor, angles as SymbolicTensor]) as SymbolicTensor;
      return norm.apply(hidden) as SymbolicTensor;
    },
  };
}

function head(config: EuroBertConfig, common: Common, labels: number): Head {
  const { hidden_size: hiddenSize, classifier_pooling: pooling } = config;
  const dense = new DensePooler({ ...common, name: 'dense', hiddenSize, pooling });
  const classifier = new ClassificationHead({
    ...common,
    name: 'classifier',
    hiddenSize,
    labels,
    dropout: 0,
  });
  return {
    connect: (hidden, { attentionMask }) =>
      classifier.apply(dense.apply([hidden, attentionMask])) as SymbolicTensor,
  };
}
