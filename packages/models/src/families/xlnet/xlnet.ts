import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { ModelConfig } from '../../config.js';
import { type Activation, ACTIVATIONS } from '../../layers/activations.js';
import { ClassificationHead } from '../../layers/classification-head.js';
import type { Common, Encoder, Family, Head } from '../family.js';
import { tokenHead } from '../token-head.js';
import { RelativeSinusoids } from './relative-sinusoids.js';
import { SequenceSummary } from './sequence-summary.js';
import { XlnetBlock } from './xlnet-block.js';
import { XlnetEmbeddings } from './xlnet-embeddings.js';

/** The configuration of XLNet, in its own words. */
interface XlnetConfig extends ModelConfig {
  readonly d_model: number;
  readonly n_layer: number;
  readonly n_head: number;
  readonly d_inner: number;
  readonly d_head: number | null;
  readonly ff_activation: Activation;
  readonly dropout: number;
  readonly layer_norm_eps: number;
  readonly attn_type: 'bi' | 'uni';
  readonly clamp_len: number;
  readonly summary_type: 'last' | 'first' | 'mean' | 'cls_index';
  readonly summary_use_proj: boolean;
  readonly summary_activation: Activation | null;
  readonly summary_first_dropout?: number;
  readonly summary_last_dropout: number;
}

function encoder(config: XlnetConfig, common: Common): Encoder {
  const { d_model: hiddenSize, dropout: hiddenDropout } = config;
  const shared = { ...common, hiddenSize, hiddenDropout };
  const vocabularySize = config.vocab_size;
  const embeddings = new XlnetEmbeddings({ ...shared, name: 'transformer', vocabularySize });
  const farthest = config.clamp_len;
  const sinusoids = new RelativeSinusoids({ ...shared, name: 'transformer.relative_positions', farthest });
  const blocks = Array.from(
    { length: config.n_layer },
    (_, index) =>
      new XlnetBlock({
        ...shared,
        name: `transformer.layer.${index}`,
        intermediateSize: config.d_inner,
        heads: config.n_head,
        activation: config.ff_activation,
        epsilon: config.layer_norm_eps,
        causal: config.attn_type === 'uni',
      }),
  );
  return {
    connect({ inputIds, attentionMask, tokenTypeIds }) {
      const positions = sinusoids.apply(inputIds) as SymbolicTensor;
      const embedded = embeddings.apply(inputIds) as SymbolicTensor;
      return blocks.reduce(
        (x, block) => block.apply([x, attentionMask, tokenTypeIds, positions]) as SymbolicTensor,
        embedded,
      );
    },
  };
}

/** logits_proj(summary). */
function head(config: XlnetConfig, common: Common, labels: number): Head {
  const { d_model: hiddenSize, summary_type: type } = config;
  const summary = new SequenceSummary({
    ...common,
    name: 'sequence_summary',
    hiddenSize,
    // Without an index of their own, transformers takes the last token.
    kind: type === 'cls_index' ? 'last' : type,
    projected: config.summary_use_proj,
    activation: config.summary_activation,
    hiddenDropout: config.dropout,
    firstDropout: config.summary_first_dropout ?? 0,
    lastDropout: config.summary_last_dropout,
  });
  const logits = new ClassificationHead({ ...common, name: 'logits_proj', hiddenSize, labels, dropout: 0 });
  return {
    connect: (hidden, { attentionMask }) =>
      logits.apply(summary.apply([hidden, attentionMask])) as SymbolicTensor,
  };
}

function check(config: XlnetConfig, wrong: (key: string, wanted: string) => Error): void {
  const size = config.d_model / config.n_head;
  if ((config.d_head ?? size) !== size) throw wrong('d_head', `d_model / n_head (${size})`);
  if (config.d_model % 2 !== 0) throw wrong('d_model', 'an even number');
  if (!['bi', 'uni'].includes(config.attn_type)) throw wrong('attn_type', 'bi or uni');
  if (config.bi_data) throw wrong('bi_data', 'false: it is for pre-training');
  if (config.same_length) throw wrong('same_length', 'false: it is for generation');
  if (!Number.isSafeInteger(config.clamp_len)) throw wrong('clamp_len', 'an integer');
  if (!['last', 'first', 'mean', 'cls_index'].includes(config.summary_type))
    throw wrong('summary_type', 'one of last, first, mean, cls_index');
  if (config.summary_activation && !Object.hasOwn(ACTIVATIONS, config.summary_activation))
    throw wrong('summary_activation', `null or one of ${Object.keys(ACTIVATIONS).join(', ')}`);
  const { summary_first_dropout: rate = 0 } = config;
  if (!(rate >= 0 && rate < 1)) throw wrong('summary_first_dropout', 'a number in [0, 1)');
  if (config.summary_proj_to_labels) throw wrong('summary_proj_to_labels', 'false');
}

/** XLNet (Yang et al., 2019): relative attention of two terms and a segment's, no positions in the hidden states. */
export const xlnet: Family<XlnetConfig> = {
  name: 'XLNet',
  prefix: 'transformer',
  defaults: {
    vocab_size: 32000,
    d_model: 1024,
    n_layer: 24,
    n_head: 16,
    d_inner: 4096,
    d_head: null,
    ff_activation: 'gelu',
    attn_type: 'bi',
    initializer_range: 0.02,
    layer_norm_eps: 1e-12,
    dropout: 0.1,
    clamp_len: -1,
    summary_type: 'last',
    summary_use_proj: true,
    summary_activation: 'tanh',
    summary_last_dropout: 0.1,
    pad_token_id: 5,
  },
  optional: ['summary_first_dropout'],
  aliases: {
    n_token: 'vocab_size',
    hidden_size: 'd_model',
    num_attention_heads: 'n_head',
    num_hidden_layers: 'n_layer',
  },
  keys: {
    sizes: ['vocab_size', 'd_model', 'n_layer', 'n_head', 'd_inner'],
    rates: ['dropout', 'summary_last_dropout'],
    activations: ['ff_activation'],
    epsilon: 'layer_norm_eps',
    width: ['d_model', 'n_head'],
  },
  check,
  positions: () => Infinity,
  encoder,
  heads: {
    SequenceClassification: head,
    TokenClassification: (config, common, labels) =>
      tokenHead({ hiddenSize: config.d_model, dropout: 0 }, common, labels),
  },
};
