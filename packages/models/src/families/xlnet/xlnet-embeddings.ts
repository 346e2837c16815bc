import { type Tensor, gather, serialization } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import type { Dropouts } from '../../layers/dropouts.js';
import { applyDropout } from '../../layers/transformer-block.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from '../../layers/weighted-layer.js';

/** What the embeddings are configured by. */
export interface XlnetEmbeddingsConfig extends WeightedLayerConfig {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly hiddenDropout: number;
}

type EmbeddingsWeight = 'word_embedding.weight' | 'mask_emb';

/**
 * drop(token): ids int32 [B, T] -> [B, T, H]. The vector of the query stream (`mask_emb`), which pre-training alone needs, is
 * kept for the checkpoint.
 */
export class XlnetEmbeddings extends WeightedLayer<EmbeddingsWeight> {
  static readonly className = 'XlnetEmbeddings';
  override readonly hypetune: HypetuneMark = { site: 'embedding', fresh: [] };
  override readonly weightSpecs: WeightSpecs<EmbeddingsWeight>;

  constructor(private readonly config: XlnetEmbeddingsConfig) {
    super(config);
    const { vocabularySize, hiddenSize } = config;
    this.weightSpecs = {
      'word_embedding.weight': { kind: 'table', shape: [vocabularySize, hiddenSize] },
      mask_emb: { kind: 'table', shape: [1, 1, hiddenSize], unused: true },
    };
  }

  /** What leaves the token table for `ids` [B, T]: [B, T, H]. A trainer may wrap it. */
  tokenEmbedding(ids: Tensor): Tensor {
    return gather(this.readWeight('word_embedding.weight'), ids);
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return [...inputShape, this.config.hiddenSize];
  }

  protected override forward([ids]: readonly [Tensor], dropouts: Dropouts): Tensor {
    return applyDropout(
      this.tokenEmbedding(ids),
      dropouts('hidden', 'word_embedding', this.config.hiddenDropout),
    );
  }
}

serialization.registerClass(XlnetEmbeddings);
