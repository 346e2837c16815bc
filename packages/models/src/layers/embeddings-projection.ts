import { type Tensor, type Tensor1D, type Tensor2D, serialization } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { linear } from '@hypetune/ops';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from './weighted-layer.js';

/** What the projection is configured by: features of the embeddings and of the blocks. */
export interface EmbeddingsProjectionConfig extends WeightedLayerConfig {
  readonly embeddingSize: number;
  readonly hiddenSize: number;
}

/** The linear map from narrow embeddings to the blocks' width (ELECTRA small): [B, T, E] -> [B, T, H]. */
export class EmbeddingsProjection extends WeightedLayer<'weight' | 'bias'> {
  static readonly className = 'EmbeddingsProjection';
  override readonly hypetune: HypetuneMark = { site: 'embedding', fresh: [] };
  override readonly weightSpecs: WeightSpecs<'weight' | 'bias'>;

  constructor(private readonly config: EmbeddingsProjectionConfig) {
    super(config);
    const { embeddingSize, hiddenSize } = config;
    this.weightSpecs = {
      weight: { kind: 'linear', shape: [embeddingSize, hiddenSize] },
      bias: { kind: 'bias', shape: [hiddenSize] },
    };
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return [...inputShape.slice(0, -1), this.config.hiddenSize];
  }

  protected override forward([hidden]: readonly [Tensor]): Tensor {
    const { weight, bias } = this.readWeights();
    return linear(hidden, weight as Tensor2D, bias as Tensor1D);
  }
}

serialization.registerClass(EmbeddingsProjection);
