import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  cast,
  expandDims,
  mul,
  oneHot,
  serialization,
  slice,
} from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { layerNorm, linear } from '@hypetune/ops';
import type { Dropouts } from '../../layers/dropouts.js';
import { tokenLookup } from '../../layers/token-lookup.js';
import { applyDropout } from '../../layers/transformer-block.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpec,
  type WeightSpecs,
} from '../../layers/weighted-layer.js';

/** What the embeddings are configured by: table sizes are numbers of rows, 0 where there is no such table. */
export interface DebertaEmbeddingsConfig extends WeightedLayerConfig {
  readonly vocabularySize: number;
  readonly positions: number;
  readonly tokenTypes: number;
  /** Features of the token vectors; projected to `hiddenSize` where they differ. */
  readonly embeddingSize: number;
  readonly hiddenSize: number;
  readonly paddingId: number;
  readonly epsilon: number;
  readonly hiddenDropout: number;
}

/** The weights of the embeddings; a model has those tables that its configuration asks for. */
export type DebertaEmbeddingsWeight =
  | `${'word' | 'position' | 'token_type'}_embeddings.weight`
  | 'embed_proj.weight'
  | `LayerNorm.${'weight' | 'bias'}`;

/**
 * drop(mask * LayerNorm(token (+ position) (+ token type))): positions enter in the attention instead (He et al., 2021).
 * Inputs are token ids, token types and the attention mask, each int32 [B, T]; the result is [B, T, H]. Throws where there
 * is a position table and T exceeds it.
 */
export class DebertaEmbeddings extends WeightedLayer<DebertaEmbeddingsWeight> {
  static readonly className = 'DebertaEmbeddings';
  override readonly hypetune: HypetuneMark = { site: 'embedding', fresh: [] };
  override readonly weightSpecs: WeightSpecs<DebertaEmbeddingsWeight>;

  constructor(private readonly config: DebertaEmbeddingsConfig) {
    super(config);
    const { vocabularySize, positions, tokenTypes, embeddingSize, hiddenSize } = config;
    const table = (rows: number): WeightSpec => ({ kind: 'table', shape: [rows, embeddingSize] });
    this.weightSpecs = {
      'word_embeddings.weight': table(vocabularySize),
      ...(positions > 0 && { 'position_embeddings.weight': table(positions) }),
      ...(tokenTypes > 0 && { 'token_type_embeddings.weight': table(tokenTypes) }),
      ...(embeddingSize !== hiddenSize && {
        'embed_proj.weight': { kind: 'linear', shape: [embeddingSize, hiddenSize] },
      }),
      'LayerNorm.weight': { kind: 'scale', shape: [hiddenSize] },
      'LayerNorm.bias': { kind: 'bias', shape: [hiddenSize] },
    } as WeightSpecs<DebertaEmbeddingsWeight>;
  }

  /** What leaves the token table for `ids` [B, T]: [B, T, E], before anything else. A trainer may wrap it. */
  tokenEmbedding(ids: Tensor): Tensor {
    return tokenLookup(this.readWeight('word_embeddings.weight'), ids, this.config.paddingId);
  }

  override computeOutputShape(inputShape: Shape[]): Shape {
    return [...inputShape[0]!, this.config.hiddenSize];
  }

  protected override forward(
    [ids, types, mask]: readonly [Tensor, Tensor, Tensor],
    dropouts: Dropouts,
  ): Tensor {
    const { positions, tokenTypes, embeddingSize, hiddenSize, epsilon, hiddenDropout } = this.config;
    let hidden = this.tokenEmbedding(ids);
    if (positions > 0) hidden = add(hidden, this.positionVectors(ids.shape[1]!));
    if (tokenTypes > 0) {
      const table = this.readWeight('token_type_embeddings.weight') as Tensor2D;
      hidden = add(hidden, linear(oneHot(types, tokenTypes, 1, 0, 'float32'), table));
    }
    if (embeddingSize !== hiddenSize)
      hidden = linear(hidden, this.readWeight('embed_proj.weight') as Tensor2D);
    const scale = this.readWeight('LayerNorm.weight') as Tensor1D;
    const offset = this.readWeight('LayerNorm.bias') as Tensor1D;
    const real = expandDims(cast(mask, 'float32'), 2);
    const masked = mul(layerNorm(hidden, scale, offset, epsilon), real);
    return applyDropout(masked, dropouts('hidden', 'output', hiddenDropout));
  }

  private positionVectors(length: number): Tensor {
    const { positions, embeddingSize } = this.config;
    if (length > positions) {
      throw new Error(
        `${this.name}: the input has ${length} tokens, but the model has only ${positions} positions ` +
          `(max_position_embeddings); shorten the input, for example by the tokenizer's maxLength.`,
      );
    }
    return slice(this.readWeight('position_embeddings.weight'), [0, 0], [length, embeddingSize]);
  }
}

serialization.registerClass(DebertaEmbeddings);
