import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  mul,
  reshape,
  serialization,
  tile,
} from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { attention, linear } from '@hypetune/ops';
import { ACTIVATIONS, type Activation } from '../../layers/activations.js';
import type { Dropouts } from '../../layers/dropouts.js';
import { normalizeSquares } from '../../layers/normalization.js';
import { askedTokens } from '../../layers/pooling.js';
import { rotate } from '../../layers/rotary.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
  linearSpecs,
  normSpecs,
} from '../../layers/weighted-layer.js';

/** What one block is configured by; sizes are numbers of features. */
export interface EuroBertBlockConfig extends WeightedLayerConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly headSize: number;
  readonly heads: number;
  /** Heads of keys and values, each shared by as many query heads. */
  readonly keyHeads: number;
  readonly activation: Activation;
  readonly epsilon: number;
  readonly attentionBias: boolean;
  readonly feedForwardBias: boolean;
  readonly attentionDropout: number;
}

/**
 * One pre-norm block with rotary positions, grouped queries and a gated feed-forward part (Boizard et al., 2025):
 * a = x + Attention(Norm(x)) Wo, y = a + (f(n Wg) (n Wu)) Wd, n = Norm(a), Norm by the root mean square.
 * Inputs are the hidden states [B, T, H], the bias of the scores, broadcast to [B, heads, T, T], and the rotary angles.
 */
export class EuroBertBlock extends WeightedLayer<string> {
  static readonly className = 'EuroBertBlock';
  override readonly hypetune: HypetuneMark = { site: 'hidden', fresh: [], firstOnly: true };
  override readonly weightSpecs: WeightSpecs<string>;

  constructor(private readonly config: EuroBertBlockConfig) {
    super(config);
    const { hiddenSize, intermediateSize, headSize, heads, keyHeads, attentionBias, feedForwardBias } =
      config;
    this.weightSpecs = {
      ...normSpecs('input_layernorm', hiddenSize, false),
      ...linearSpecs('self_attn.q_proj', hiddenSize, heads * headSize, attentionBias),
      ...linearSpecs('self_attn.k_proj', hiddenSize, keyHeads * headSize, attentionBias),
      ...linearSpecs('self_attn.v_proj', hiddenSize, keyHeads * headSize, attentionBias),
      ...linearSpecs('self_attn.o_proj', heads * headSize, hiddenSize, attentionBias),
      ...normSpecs('post_attention_layernorm', hiddenSize, false),
      ...linearSpecs('mlp.gate_proj', hiddenSize, intermediateSize, feedForwardBias),
      ...linearSpecs('mlp.up_proj', hiddenSize, intermediateSize, feedForwardBias),
      ...linearSpecs('mlp.down_proj', intermediateSize, hiddenSize, feedForwardBias),
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
    const { heads, keyHeads, epsilon, activation, attentionDropout } = this.config;
    const weights: Readonly<Record<string, Tensor | undefined>> = this.readWeights();
    const dense = (name: string, x: Tensor): Tensor =>
      linear(x, weights[`${name}.weight`] as Tensor2D, weights[`${name}.bias`] as Tensor1D | undefined);
    const norm = (name: string, x: Tensor): Tensor =>
      normalizeSquares(x, weights[`${name}.weight`]!, epsilon);
    const asked = askedTokens(firstOnly);

    const entering = norm('input_layernorm', hidden);
    const context = attention(
      rotate(dense('self_attn.q_proj', asked(entering, 1)), asked(angles, 1), heads),
      this.forQueries(rotate(dense('self_attn.k_proj', entering), angles, keyHeads)),
      this.forQueries(dense('self_attn.v_proj', entering)),
      heads,
      asked(bias, 2),
      dropouts('attention', 'self_attn', attentionDropout),
    ); // [B, T, heads * size]
    const attended = add(asked(hidden, 1), dense('self_attn.o_proj', context));
    const between = norm('post_attention_layernorm', attended);
    const inner = mul(
      ACTIVATIONS[activation](dense('mlp.gate_proj', between)),
      dense('mlp.up_proj', between),
    );
    return add(attended, dense('mlp.down_proj', inner));
  }

  /** Each key head as often as query heads share it: [B, T, keyHeads * size] -> [B, T, heads * size]. */
  private forQueries(x: Tensor): Tensor {
    const { heads, keyHeads, headSize } = this.config;
    if (keyHeads === heads) return x;
    const [batch, length] = x.shape as [number, number];
    return reshape(tile(reshape(x, [-1, headSize]), [1, heads / keyHeads]), [
      batch,
      length,
      heads * headSize,
    ]);
  }
}

serialization.registerClass(EuroBertBlock);
