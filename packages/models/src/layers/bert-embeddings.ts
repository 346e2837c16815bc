import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  gather,
  oneHot,
  serialization,
  slice,
} from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { layerNorm, linear } from '@hypetune/ops';
import type { Dropouts } from './dropouts.js';
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
  readonly tokenTypes: number;
  /** Features of the embeddings. */
  readonly size: number;
  /** Row of the position table that the first token has. */
  readonly firstPosition: number;
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
 * LayerNorm(token + position + token type), then dropout. Inputs are token ids and token types, both int32 [B, T];
 * the result is [B, T, H]. Throws where T exceeds the number of positions.
 */
export class BertEmbeddings extends WeightedLayer<EmbeddingsWeight> {
  static readonly className = 'BertEmbeddings';
  override readonly hypetune: HypetuneMark = { site: 'embedding', fresh: [] };
  override readonly weightSpecs: WeightSpecs<EmbeddingsWeight>;

  constructor(private readonly config: BertEmbeddingsConfig) {
    super(config);
    const { vocabularySize, positions, tokenTypes, size } = config;
    this.weightSpecs = {
      'word_embeddings.weight': { kind: 'table', shape: [vocabularySize, size] },
      'position_embeddings.weight': { kind: 'table', shape: [positions, size] },
      'token_type_embeddings.weight': { kind: 'table', shape: [tokenTypes, size] },
      'LayerNorm.weight': { kind: 'scale', shape: [size] },
      'LayerNorm.bias': { kind: 'bias', shape: [size] },
    };
  }

  /** What leaves the token table for `ids` [B, T]: [B, T, H], before positions and normalization. A trainer may wrap it. */
  tokenEmbedding(ids: Tensor): Tensor {
    return gather(this.readWeight('word_embeddings.weight'), ids);
  }

  override computeOutputShape(inputShape: Shape[]): Shape {
    return [...inputShape[0]!, this.config.size];
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }

  protected override forward([ids, types]: readonly [Tensor, Tensor], dropouts: Dropouts): Tensor {
    const { size, firstPosition, epsilon, hiddenDropout } = this.config;
    const length = ids.shape[1]!;
    this.checkLength(length);
    const tokens = this.tokenEmbedding(ids);
    const positions = slice(
      this.readWeight('position_embeddings.weight'),
      [firstPosition, 0],
      [length, size],
    );
    const typed = this.typeEmbedding(types);
    const scale = this.readWeight('LayerNorm.weight') as Tensor1D;
    const offset = this.readWeight('LayerNorm.bias') as Tensor1D;
    const normalized = layerNorm(add(add(tokens, typed), positions), scale, offset, epsilon);
    return applyDropout(normalized, dropouts('hidden', 'output', hiddenDropout));
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
    const positions = this.config.positions - this.config.firstPosition;
    if (length > positions) {
      throw new Error(
        `${this.name}: the input has ${length} tokens, but the model has only ${positions} positions ` +
          `(max_position_embeddings); shorten the input, for example by the tokenizer's maxLength.`,
      );
    }
  }
}

serialization.registerClass(BertEmbeddings);
