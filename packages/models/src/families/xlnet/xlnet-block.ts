import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  cast,
  expandDims,
  matMul,
  mul,
  notEqual,
  reshape,
  serialization,
  slice,
  sub,
  sum,
  tensor4d,
} from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { attentionByScores, layerNorm, linear, splitHeads } from '@hypetune/ops';
import { type Activation, ACTIVATIONS } from '../../layers/activations.js';
import { attentionBias } from '../../layers/attention-bias.js';
import type { Dropout, Dropouts } from '../../layers/dropouts.js';
import { relativeScores } from '../../layers/relative-scores.js';
import { applyDropout } from '../../layers/transformer-block.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
  type Weights,
  linearSpecs,
  normSpecs,
} from '../../layers/weighted-layer.js';

/** What a block is configured by. */
export interface XlnetBlockConfig extends WeightedLayerConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly heads: number;
  readonly activation: Activation;
  readonly epsilon: number;
  /** The one rate of an XLNet, of attention probabilities too. */
  readonly hiddenDropout: number;
  /** Whether tokens see those before them alone (`attn_type`: uni). */
  readonly causal: boolean;
}

/**
 * Scores of relative attention (Yang et al., 2019), by heads and scaled by 1 / sqrt(size):
 * (q_i + u) . k_j + (q_i + v) . (R W_r)[i - j] + (q_i + w) . s_different where the token types of i and j differ, s_same where
 * not. What all keys of a query have in common, the softmax cancels: so the last term is (q_i + w) . (s_different - s_same) at keys
 * of another type. `hidden` is [B, T, H], `types` int32 [B, T], `positions` R [2 T, H] or [B, 2 T, H]; the result is [B, heads, T, T].
 */
export function relativeAttentionScores(
  weights: Weights<string>,
  hidden: Tensor,
  types: Tensor,
  positions: Tensor,
  heads: number,
): Tensor {
  const [batch, length, size] = hidden.shape as [number, number, number];
  const project = (name: 'q' | 'k' | 'r', x: Tensor): Tensor =>
    linear(x, weights[`rel_attn.${name}`] as Tensor2D);
  const query = project('q', hidden);
  const scaled = (name: 'r_w_bias' | 'r_r_bias' | 'r_s_bias'): Tensor =>
    mul(add(query, reshape(weights[`rel_attn.${name}`]!, [size])), Math.sqrt(heads / size));
  const content = matMul(
    splitHeads(scaled('r_w_bias'), heads),
    splitHeads(project('k', hidden), heads),
    false,
    true,
  );
  const position = relativeScores(scaled('r_r_bias'), project('r', positions), heads);

  const segments = weights['rel_attn.seg_embed']!;
  const segment = (index: number): Tensor =>
    reshape(slice(segments, [index, 0, 0], [1, -1, -1]), [heads, 1, -1]);
  const contrast = sub(segment(1), segment(0)); // [heads, 1, size]
  const ofQuery = sum(mul(splitHeads(scaled('r_s_bias'), heads), contrast), -1, true); // [B, heads, T, 1]
  const differs = notEqual(reshape(types, [batch, length, 1]), reshape(types, [batch, 1, length]));
  return add(add(content, position), mul(ofQuery, expandDims(cast(differs, 'float32'), 1)));
}

/** -1e9 at keys after the query, else 0: [1, 1, T, T]. */
function causalBias(length: number): Tensor {
  const values = Float32Array.from({ length: length ** 2 }, (_, i) =>
    i % length > Math.floor(i / length) ? -1e9 : 0,
  );
  return tensor4d(values, [1, 1, length, length]);
}

/**
 * A block of XLNet (Yang et al., 2019): a = LayerNorm(x + drop(Attention(x) Wo)), y = LayerNorm(a + drop(drop(f(a W1)) W2)).
 * Inputs are the hidden states [B, T, H], the attention mask and the token types, both [B, T], and the relative positions; the
 * result is [B, T, H].
 */
export class XlnetBlock extends WeightedLayer<string> {
  static readonly className = 'XlnetBlock';
  override readonly hypetune: HypetuneMark = { site: 'hidden', fresh: [] };
  override readonly weightSpecs: WeightSpecs<string>;

  constructor(private readonly config: XlnetBlockConfig) {
    super(config);
    const { hiddenSize, intermediateSize, heads } = config;
    const stored = [hiddenSize, heads, hiddenSize / heads];
    // Stored as [in, heads, size]; the output's kernel as [out, heads, size].
    const inward = { kind: 'table', shape: [hiddenSize, hiddenSize], stored } as const;
    const bias = { kind: 'table', shape: [heads, hiddenSize / heads] } as const;
    this.weightSpecs = {
      'rel_attn.q': inward,
      'rel_attn.k': inward,
      'rel_attn.v': inward,
      'rel_attn.o': { ...inward, kind: 'linear' },
      'rel_attn.r': inward,
      'rel_attn.r_w_bias': bias,
      'rel_attn.r_r_bias': bias,
      'rel_attn.r_s_bias': bias,
      'rel_attn.seg_embed': { kind: 'table', shape: [2, heads, hiddenSize / heads] },
      ...normSpecs('rel_attn.layer_norm', hiddenSize),
      ...normSpecs('ff.layer_norm', hiddenSize),
      ...linearSpecs('ff.layer_1', hiddenSize, intermediateSize),
      ...linearSpecs('ff.layer_2', intermediateSize, hiddenSize),
    };
  }

  override computeOutputShape(inputShape: Shape[]): Shape {
    return inputShape[0]!;
  }

  protected override forward(
    [hidden, mask, types, positions]: readonly [Tensor, Tensor, Tensor, Tensor],
    dropouts: Dropouts,
  ): Tensor {
    const { heads, causal, activation, epsilon, hiddenDropout } = this.config;
    const weights = this.readWeights();
    const drop = (place: string, x: Tensor): Tensor =>
      applyDropout(x, dropouts('hidden', place, hiddenDropout));
    const dense = (name: 'ff.layer_1' | 'ff.layer_2', x: Tensor): Tensor =>
      linear(x, weights[`${name}.weight`] as Tensor2D, weights[`${name}.bias`] as Tensor1D);
    const norm = (name: 'rel_attn.layer_norm' | 'ff.layer_norm', x: Tensor): Tensor =>
      layerNorm(x, weights[`${name}.weight`] as Tensor1D, weights[`${name}.bias`] as Tensor1D, epsilon);

    const bias = causal ? add(attentionBias(mask), causalBias(hidden.shape[1]!)) : attentionBias(mask);
    const scores = add(relativeAttentionScores(weights, hidden, types, positions, heads), bias);
    const value = linear(hidden, weights['rel_attn.v'] as Tensor2D);
    const context = attentionByScores(scores, value, this.probabilityDropout(dropouts));
    const projected = drop('rel_attn', linear(context, weights['rel_attn.o'] as Tensor2D));
    const attended = norm('rel_attn.layer_norm', add(projected, hidden));
    const inner = drop('ff.layer_1', ACTIVATIONS[activation](dense('ff.layer_1', attended))); // [B, T, I]
    return norm('ff.layer_norm', add(drop('ff', dense('ff.layer_2', inner)), attended));
  }

  /** One field of the configuration is the rate of both kinds: unless a rate of its own is asked for, attention follows hidden states. */
  private probabilityDropout(dropouts: Dropouts): Dropout | undefined {
    const place = 'rel_attn.probabilities';
    return dropouts('attention', place, dropouts('hidden', place, this.config.hiddenDropout)?.rate ?? 0);
  }
}

serialization.registerClass(XlnetBlock);
