import { type Tensor, type Tensor1D, type Tensor2D, serialization } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { linear } from '@hypetune/ops';
import { ACTIVATIONS, type Activation } from '../../layers/activations.js';
import { normalize } from '../../layers/normalization.js';
import { firstToken, meanToken } from '../../layers/pooling.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
  linearSpecs,
  normSpecs,
} from '../../layers/weighted-layer.js';

/** Of which tokens there is an output: the first, the mean of all, or each. */
export type Pooling = 'cls' | 'mean' | 'none';

/** What the head is configured by. */
export interface PredictionHeadConfig extends WeightedLayerConfig {
  readonly hiddenSize: number;
  readonly pooling: Pooling;
  readonly activation: Activation;
  readonly epsilon: number;
  readonly denseBias: boolean;
  readonly normBias: boolean;
}

/**
 * LayerNorm(f(h W)) of the first token's hidden state, of the mean of all tokens' or of each: hidden states [B, T, H] and
 * mask [B, T] -> [B, H] or [B, T, H]. Pre-training trained it, so it is a pooler: a checkpoint of a masked language model has it.
 */
export class PredictionHead extends WeightedLayer<string> {
  static readonly className = 'PredictionHead';
  override readonly hypetune: HypetuneMark;
  override readonly weightSpecs: WeightSpecs<string>;

  constructor(private readonly config: PredictionHeadConfig) {
    super(config);
    const { hiddenSize, denseBias, normBias, pooling } = config;
    this.hypetune = { site: 'pooler', fresh: [], ...(pooling === 'cls' && { reads: 'first' }) };
    this.weightSpecs = {
      ...linearSpecs('dense', hiddenSize, hiddenSize, denseBias),
      ...normSpecs('norm', hiddenSize, normBias),
    };
  }

  override computeOutputShape([hidden]: Shape[]): Shape {
    return this.config.pooling === 'none' ? hidden! : [hidden![0]!, this.config.hiddenSize];
  }

  protected override forward([hidden, mask]: readonly [Tensor, Tensor]): Tensor {
    const { pooling, activation, epsilon } = this.config;
    const weights: Readonly<Record<string, Tensor | undefined>> = this.readWeights();
    const pooled =
      pooling === 'none' ? hidden : pooling === 'cls' ? firstToken(hidden) : meanToken(hidden, mask);
    const inner = linear(pooled, weights['dense.weight'] as Tensor2D, weights['dense.bias'] as Tensor1D);
    return normalize(ACTIVATIONS[activation](inner), weights['norm.weight']!, weights['norm.bias'], epsilon);
  }
}

serialization.registerClass(PredictionHead);
