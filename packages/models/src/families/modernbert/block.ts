import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  mul,
  serialization,
  split,
} from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { attention, linear } from '@hypetune/ops';
import { ACTIVATIONS, type Activation } from '../../layers/activations.js';
import type { Dropouts } from '../../layers/dropouts.js';
import { normalize } from '../../layers/normalization.js';
import { askedTokens } from '../../layers/pooling.js';
import { rotate } from '../../layers/rotary.js';
import { applyDropout } from '../../layers/transformer-block.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
  linearSpecs,
  normSpecs,
} from '../../layers/weighted-layer.js';

/** What one block is configured by; sizes are numbers of features. */
export interface ModernBertBlockConfig extends WeightedLayerConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly heads: number;
  readonly activation: Activation;
  readonly epsilon: number;
  /** Whether the attention's input is normalized; the first block's is already. */
  readonly attentionNorm: boolean;
  readonly attentionBias: boolean;
  readonly feedForwardBias: boolean;
  readonly normBias: boolean;
  /** Dropout on the attention probabilities and, as one on hidden states, on the attention's result. */
  readonly attentionDropout: number;
  /** Dropout inside the feed-forward part. */
  readonly hiddenDropout: number;
}

/**
 * One pre-norm block with rotary positions and a gated feed-forward part (Warner et al., 2024):
 * a = x + drop(Attention(LayerNorm(x)) Wo), y = a + (drop(f(u) v) Wo'), [u, v] = LayerNorm(a) Wi.
 * Inputs are the hidden states [B, T, H], the bias of the scores, broadcast to [B, heads, T, T], and the rotary angles.
 */
export class ModernBertBlock extends WeightedLayer<string> {
  static readonly className = 'ModernBertBlock';
  override readonly hypetune: HypetuneMark = { site: 'hidden', fresh: [], firstOnly: true };
  override readonly weightSpecs: WeightSpecs<string>;

  constructor(private readonly config: ModernBertBlockConfig) {
    super(config);
    const { hiddenSize, intermediateSize, attentionNorm, attentionBias, feedForwardBias, normBias } = config;
    this.weightSpecs = {
      ...(attentionNorm ? normSpecs('attn_norm', hiddenSize, normBias) : {}),
      ...linearSpecs('attn.Wqkv', hiddenSize, 3 * hiddenSize, attentionBias),
      ...linearSpecs('attn.Wo', hiddenSize, hiddenSize, attentionBias),
      ...normSpecs('mlp_norm', hiddenSize, normBias),
      ...linearSpecs('mlp.Wi', hiddenSize, 2 * intermediateSize, feedForwardBias),
      ...linearSpecs('mlp.Wo', intermediateSize, hiddenSize, feedForwardBias),
    };
  }

  override computeOutputShape(inputShape: Shape[]): Shape {
    return inputShape[0]!;
  }

  protected override forward(
    [hidden, bias, angles]: readonly [Tensor, Tensor, Tensor],
    dropouts: Dropouts,
    firstOnly: boolean,
  ): Tensor {
    const { heads, epsilon, activation, attentionNorm, attentionDropout, hiddenDropout } = this.config;
    const weights: Readonly<Record<string, Tensor | undefined>> = this.readWeights();
    const dense = (name: string, x: Tensor): Tensor =>
      linear(x, weights[`${name}.weight`] as Tensor2D, weights[`${name}.bias`] as Tensor1D | undefined);
    const norm = (name: string, x: Tensor): Tensor =>
      normalize(x, weights[`${name}.weight`]!, weights[`${name}.bias`], epsilon);
    const asked = askedTokens(firstOnly);

    const entering = attentionNorm ? norm('attn_norm', hidden) : hidden;
    const [query, key, value] = split(dense('attn.Wqkv', entering), 3, -1) as [Tensor, Tensor, Tensor];
    const context = attention(
      rotate(asked(query, 1), asked(angles, 1), heads),
      rotate(key, angles, heads),
      value,
      heads,
      asked(bias, 2),
      dropouts('attention', 'attn', attentionDropout),
    ); // [B, T, H]
    const projected = dense('attn.Wo', context);
    const attended = add(
      asked(hidden, 1),
      applyDropout(projected, dropouts('hidden', 'attn.output', attentionDropout)),
    );
    const [input, gate] = split(dense('mlp.Wi', norm('mlp_norm', attended)), 2, -1) as [Tensor, Tensor];
    const inner = mul(ACTIVATIONS[activation](input), gate); // [B, T, I]
    const dropped = applyDropout(inner, dropouts('hidden', 'mlp', hiddenDropout));
    return add(attended, dense('mlp.Wo', dropped));
  }
}

serialization.registerClass(ModernBertBlock);
