import { type Tensor, serialization } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import type { Dropouts } from '../../layers/dropouts.js';
import { normalize } from '../../layers/normalization.js';
import { tokenLookup } from '../../layers/token-lookup.js';
import { applyDropout } from '../../layers/transformer-block.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
  normSpecs,
} from '../../layers/weighted-layer.js';

/** What the embeddings are configured by. */
export interface ModernBertEmbeddingsConfig extends WeightedLayerConfig {
  readonly vocabularySize: number;
  readonly size: number;
  readonly paddingId: number;
  readonly epsilon: number;
  readonly normBias: boolean;
  readonly hiddenDropout: number;
}

/** drop(LayerNorm(token)): ids int32 [B, T] and token types, which it does not read -> [B, T, H]. Positions enter in the attention. */
export class ModernBertEmbeddings extends WeightedLayer<string> {
  static readonly className = 'ModernBertEmbeddings';
  override readonly hypetune: HypetuneMark = { site: 'embedding', fresh: [] };
  override readonly weightSpecs: WeightSpecs<string>;

  constructor(private readonly config: ModernBertEmbeddingsConfig) {
    super(config);
    const { vocabularySize, size, normBias } = config;
    this.weightSpecs = {
      'tok_embeddings.weight': { kind: 'table', shape: [vocabularySize, size] },
      ...normSpecs('norm', size, normBias),
    };
  }

  /** What leaves the token table for `ids` [B, T]: [B, T, H], before the normalization. A trainer may wrap it. */
  tokenEmbedding(ids: Tensor): Tensor {
    return tokenLookup(this.readWeight('tok_embeddings.weight'), ids, this.config.paddingId);
  }

  override computeOutputShape([ids]: Shape[]): Shape {
    return [...ids!, this.config.size];
  }

  protected override forward([ids]: readonly [Tensor], dropouts: Dropouts): Tensor {
    const { epsilon, normBias, hiddenDropout } = this.config;
    const offset = normBias ? this.readWeight('norm.bias') : undefined;
    const normalized = normalize(this.tokenEmbedding(ids), this.readWeight('norm.weight'), offset, epsilon);
    return applyDropout(normalized, dropouts('hidden', 'output', hiddenDropout));
  }
}

serialization.registerClass(ModernBertEmbeddings);
