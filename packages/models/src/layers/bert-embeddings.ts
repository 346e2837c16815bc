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
  readonly hiddenSize: number;
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
  override readonly hypetune: HypetuneMark = { site: 'embedding' };
  override readonly weightSpecs: WeightSpecs<EmbeddingsWeight>;

  constructor(private readonly config: BertEmbeddingsConfig) {
    super(config);
    const { vocabularySize, positions, tokenTypes, hiddenSize } = config;
    this.weightSpecs = {
      'word_embeddings.weight': { kind: 'table', shape: [vocabularySize, hiddenSize] },
      'position_embeddings.weight': { kind: 'table', shape: [positions, hiddenSize] },
      'token_type_embeddings.weight': { kind: 'table', shape: [tokenTypes, hiddenSize] },
      'LayerNorm.weight': { kind: 'scale', shape: [hiddenSize] },
      'LayerNorm.bias': { kind: 'bias', shape: [hiddenSize] },
    };
  }

  /** What leaves the token table for `ids` [B, T]: [B, T, H], before positions and normalization. A trainer may wrap it. */
  tokenEmbedding(ids: Tensor): Tensor {
    return gather(this.readWeight('word_embeddings.weight'), ids);
  }

  override computeOutputShape(inputShape: Shape[]): Shape {
    return [...inputShape[0]!, this.config.hiddenSize];
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }

  protected override forward([ids, types]: readonly [Tensor, Tensor], dropouts: Dropouts): Tensor {
    const { tokenTypes, hiddenSize, epsilon, hiddenDropout } = this.config;
    const length = ids.shape[1]!;
    this.checkLength(length);
    const tokens = this.tokenEmbedding(ids);
    const positions = slice(this.readWeight('position_embeddings.weight'), [0, 0], [length, hiddenSize]);
    // A one-hot product: the gradient of a lookup would be a scatter, which compiled steps pay dearly for.
    const typed = linear(
      oneHot(types, tokenTypes, 1, 0, 'float32'),
      this.readWeight('token_type_embeddings.weight') as Tensor2D,
    );
    const scale = this.readWeight('LayerNorm.weight') as Tensor1D;
    const offset = this.readWeight('LayerNorm.bias') as Tensor1D;
    const normalized = layerNorm(add(add(tokens, typed), positions), scale, offset, epsilon);
    return applyDropout(normalized, dropouts('hidden', 'output', hiddenDropout));
  }

  private checkLength(length: number): void {
    if (length > this.config.positions) {
      throw new Error(
        `${this.name}: the input has ${length} tokens, but the model has only ${this.config.positions} positions ` +
          `(max_position_embeddings); shorten the input, for example by the tokenizer's maxLength.`,
      );
    }
  }
}

serialization.registerClass(BertEmbeddings);
