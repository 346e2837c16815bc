import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  cast,
  cumsum,
  mul,
  oneHot,
  serialization,
  slice,
} from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { layerNorm, linear } from '@hypetune/ops';
import type { Dropouts } from './dropouts.js';
import { realTokens, tokenLookup, withoutPaddingGradient } from './token-lookup.js';
import { applyDropout } from './transformer-block.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from './weighted-layer.js';

/** What the embeddings are configured by: table sizes are numbers of rows. */
export interface BertEmbeddingsConfig extends WeightedLayerConfig {
  readonly vocabularySize: number;
  readonly positions: number;
  /** 0: the family has no token types. */
  readonly tokenTypes: number;
  /** Features of the embeddings. */
  readonly size: number;
  readonly paddingId: number;
  /**
   * Which rows of the position table tokens have: `place` counts every place from 0 on, `token` (RoBERTa) only tokens
   * that are no padding, from the padding's id plus one on; padding has the row of its id.
   */
  readonly counting: 'place' | 'token';
  /** Whether a fresh position table holds sines and cosines (Vaswani et al., 2017); default false. */
  readonly sinusoidal?: boolean;
  readonly epsilon: number;
  readonly hiddenDropout: number;
}

/** The weights of the embeddings. */
export type EmbeddingsWeight =
  | 'word_embeddings.weight'
  | 'position_embeddings.weight'
  | 'token_type_embeddings.weight'
  | 'LayerNorm.weight'
  | 'LayerNorm.bias';

/**
 * LayerNorm(token + position + token type), then dropout. Inputs are token ids and token types, both int32 [B, T],
 * of which a family without types reads the ids alone; the result is [B, T, H]. Throws where T exceeds the number of positions.
 */
export class BertEmbeddings extends WeightedLayer<EmbeddingsWeight> {
  static readonly className = 'BertEmbeddings';
  override readonly hypetune: HypetuneMark = { site: 'embedding', fresh: [] };
  override readonly weightSpecs: WeightSpecs<EmbeddingsWeight>;

  constructor(private readonly config: BertEmbeddingsConfig) {
    super(config);
    const { vocabularySize, positions, tokenTypes, size, sinusoidal = false } = config;
    const types = { 'token_type_embeddings.weight': { kind: 'table', shape: [tokenTypes, size] } } as const;
    this.weightSpecs = {
      'word_embeddings.weight': { kind: 'table', shape: [vocabularySize, size] },
      'position_embeddings.weight': { kind: sinusoidal ? 'sinusoids' : 'table', shape: [positions, size] },
      ...(tokenTypes > 0 ? types : {}),
      'LayerNorm.weight': { kind: 'scale', shape: [size] },
      'LayerNorm.bias': { kind: 'bias', shape: [size] },
    } as WeightSpecs<EmbeddingsWeight>;
  }

  /** What leaves the token table for `ids` [B, T]: [B, T, H], before positions and normalization. A trainer may wrap it. */
  tokenEmbedding(ids: Tensor): Tensor {
    return tokenLookup(this.readWeight('word_embeddings.weight'), ids, this.config.paddingId);
  }

  override computeOutputShape([ids]: Shape[]): Shape {
    return [...ids!, this.config.size];
  }

  protected override forward([ids, types]: readonly [Tensor, Tensor], dropouts: Dropouts): Tensor {
    const { tokenTypes, counting, epsilon, hiddenDropout } = this.config;
    this.checkLength(ids.shape[1]!);
    const tokens = this.tokenEmbedding(ids);
    const typed = tokenTypes > 0 ? add(tokens, this.typeEmbedding(types)) : tokens;
    const positions = counting === 'place' ? this.placeEmbedding(ids.shape[1]!) : this.countEmbedding(ids);
    const scale = this.readWeight('LayerNorm.weight') as Tensor1D;
    const offset = this.readWeight('LayerNorm.bias') as Tensor1D;
    const normalized = layerNorm(add(typed, positions), scale, offset, epsilon);
    return applyDropout(normalized, dropouts('hidden', 'output', hiddenDropout));
  }

  /** The first rows of the position table: [T, H]. */
  private placeEmbedding(length: number): Tensor {
    return slice(this.readWeight('position_embeddings.weight'), [0, 0], [length, this.config.size]);
  }

  /**
   * The positions of tokens counted without padding, 1, 2, ..., padding 0, from the padding's row on: [B, T, H].
   * By a one-hot product, as the token types.
   */
  private countEmbedding(ids: Tensor): Tensor {
    const { paddingId, size } = this.config;
    const rows = ids.shape[1]! + 1;
    const table = slice(this.readWeight('position_embeddings.weight'), [paddingId, 0], [rows, size]);
    const real = realTokens(ids, paddingId);
    const counts = cast(mul(cumsum(real, 1), real), 'int32');
    const vectors = linear(oneHot(counts, rows, 1, 0, 'float32'), table as Tensor2D);
    return withoutPaddingGradient(vectors, real);
  }

  /**
   * The token types' vectors, [B, T, H] or, where there is but one type, its row. By a one-hot product: the gradient of a
   * lookup is a scatter, which compiled steps pay dearly for.
   */
  private typeEmbedding(types: Tensor): Tensor {
    const table = this.readWeight('token_type_embeddings.weight') as Tensor2D;
    const { tokenTypes } = this.config;
    return tokenTypes === 1 ? table : linear(oneHot(types, tokenTypes, 1, 0, 'float32'), table);
  }

  private checkLength(length: number): void {
    const { counting, paddingId } = this.config;
    const positions = this.config.positions - (counting === 'token' ? paddingId + 1 : 0);
    if (length > positions) {
      throw new Error(
        `${this.name}: the input has ${length} tokens, but the model has only ${positions} positions ` +
          `(max_position_embeddings); shorten the input, for example by the tokenizer's maxLength.`,
      );
    }
  }
}

serialization.registerClass(BertEmbeddings);
