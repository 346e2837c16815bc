import { type Tensor, serialization } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { tokenLookup } from './token-lookup.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from './weighted-layer.js';

/** What the table is configured by. */
export interface TokenEmbeddingsConfig extends WeightedLayerConfig {
  readonly vocabularySize: number;
  readonly size: number;
  readonly paddingId: number;
}

/** A token table alone: ids int32 [B, T] and token types, which it does not read -> [B, T, H]. */
export class TokenEmbeddings extends WeightedLayer<'weight'> {
  static readonly className = 'TokenEmbeddings';
  override readonly hypetune: HypetuneMark = { site: 'embedding', fresh: [] };
  override readonly weightSpecs: WeightSpecs<'weight'>;

  constructor(private readonly config: TokenEmbeddingsConfig) {
    super(config);
    this.weightSpecs = { weight: { kind: 'table', shape: [config.vocabularySize, config.size] } };
  }

  /** What leaves the table for `ids` [B, T]: [B, T, H]. A trainer may wrap it. */
  tokenEmbedding(ids: Tensor): Tensor {
    return tokenLookup(this.readWeight('weight'), ids, this.config.paddingId);
  }

  override computeOutputShape([ids]: Shape[]): Shape {
    return [...ids!, this.config.size];
  }

  protected override forward([ids]: readonly [Tensor]): Tensor {
    return this.tokenEmbedding(ids);
  }
}

serialization.registerClass(TokenEmbeddings);
