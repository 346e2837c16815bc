import { type Tensor, type Tensor1D, type Tensor2D, serialization } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { gelu, linear } from '@hypetune/ops';
import type { HeadWeight } from '../../layers/classification-head.js';
import { firstToken, meanToken } from '../../layers/pooling.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from '../../layers/weighted-layer.js';

/** Where EuroBERT's head takes the mean over tokens: `bos` nowhere, it reads the first; `late` after its own hidden layer. */
export type Pooling = 'bos' | 'mean' | 'late';

/** What the layer is configured by. */
export interface DensePoolerConfig extends WeightedLayerConfig {
  readonly hiddenSize: number;
  readonly pooling: Pooling;
}

/**
 * The hidden layer of EuroBERT's head, gelu(h W + b), of the first token, of the mean of all tokens, or, `late`, the mean
 * of all tokens' results: hidden states [B, T, H] and mask [B, T] -> [B, H]. (The reference takes the last mean after the
 * classifier; that map is affine, so it is the same.)
 */
export class DensePooler extends WeightedLayer<HeadWeight> {
  static readonly className = 'DensePooler';
  override readonly hypetune: HypetuneMark;
  override readonly weightSpecs: WeightSpecs<HeadWeight>;

  constructor(private readonly config: DensePoolerConfig) {
    super(config);
    const { hiddenSize, pooling } = config;
    this.hypetune = { site: 'head', fresh: [], ...(pooling === 'bos' && { reads: 'first' }) };
    this.weightSpecs = {
      weight: { kind: 'linear', shape: [hiddenSize, hiddenSize] },
      bias: { kind: 'bias', shape: [hiddenSize] },
    };
  }

  override computeOutputShape([hidden]: Shape[]): Shape {
    return [hidden![0]!, this.config.hiddenSize];
  }

  protected override forward([hidden, mask]: readonly [Tensor, Tensor]): Tensor {
    const { weight, bias } = this.readWeights();
    const dense = (x: Tensor): Tensor => gelu(linear(x, weight as Tensor2D, bias as Tensor1D));
    const { pooling } = this.config;
    if (pooling === 'late') return meanToken(dense(hidden), mask);
    return dense(pooling === 'bos' ? firstToken(hidden) : meanToken(hidden, mask));
  }
}

serialization.registerClass(DensePooler);
