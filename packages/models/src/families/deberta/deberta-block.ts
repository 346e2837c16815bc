import { type Tensor, add, mul, serialization, slice } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { attentionByScores, dropoutMask } from '@hypetune/ops';
import { attentionBias } from '../../layers/attention-bias.js';
import type { Dropouts } from '../../layers/dropouts.js';
import { askedTokens } from '../../layers/pooling.js';
import {
  type TransformerBlockConfig,
  BERT_BLOCK,
  blockOutput,
  outputSpecs,
  weightsByPart,
} from '../../layers/transformer-block.js';
import { type HypetuneMark, WeightedLayer, type WeightSpecs } from '../../layers/weighted-layer.js';
import { disentangledScores } from './disentangled-attention.js';
import { type ProjectionConfig, type Projections, FUSED, SEPARATE } from './projections.js';
import { type RelativeRows, type RelativeRowsConfig, relativeRows } from './relative-rows.js';

/** What a block is configured by. */
export interface DebertaBlockConfig
  extends Omit<TransformerBlockConfig, 'names'>, ProjectionConfig, RelativeRowsConfig {
  /** Whether one kernel makes queries, keys and values (v1). */
  readonly fused: boolean;
}

/**
 * A block of BERT's whose attention is disentangled (He et al., 2021). Inputs are the hidden states [B, T, H], the attention
 * mask [B, T] and, where there are relative positions, their vectors [rows, H]; the result is [B, T, H].
 */
export class DebertaBlock extends WeightedLayer<string> {
  static readonly className = 'DebertaBlock';
  override readonly hypetune: HypetuneMark = { site: 'hidden', fresh: [], firstOnly: true };
  override readonly weightSpecs: WeightSpecs<string>;
  private readonly projections: Projections;

  constructor(private readonly config: DebertaBlockConfig) {
    super(config);
    this.projections = config.fused ? FUSED : SEPARATE;
    this.weightSpecs = {
      ...this.projections.specs(config),
      ...outputSpecs(BERT_BLOCK, config.hiddenSize, config.intermediateSize),
    };
  }

  override computeOutputShape(inputShape: Shape[]): Shape {
    return inputShape[0]!;
  }

  protected override forward(inputs: readonly Tensor[], dropouts: Dropouts, firstOnly: boolean): Tensor {
    const [hidden, mask, vectors] = inputs as [Tensor, Tensor, Tensor | undefined];
    const { config, projections } = this;
    const weights = this.readWeights();
    const { query, key, value } = projections.tokens(weights, hidden, config);
    const rows = relativeRows(hidden.shape[1]!, config);
    const scores = disentangledScores(
      query,
      key,
      vectors ? projections.positions(weights, this.dropPositions(vectors, rows, dropouts), config) : {},
      rows,
      config.heads,
      1 + config.terms.length,
    );
    const probabilityDropout = dropouts('attention', 'attention.self', config.attentionDropout);
    const asked = askedTokens(firstOnly);
    const context = attentionByScores(add(asked(scores, 2), attentionBias(mask)), value, probabilityDropout);
    return blockOutput(weightsByPart(weights), asked(hidden, 1), context, config, dropouts);
  }

  /** Dropout is drawn for the whole table, so that a distance has the same draw in longer and shorter batches. */
  private dropPositions(vectors: Tensor, { first, count }: RelativeRows, dropouts: Dropouts): Tensor {
    const { span, hiddenSize, hiddenDropout } = this.config;
    const drawn = dropouts('hidden', 'attention.self.pos_dropout', hiddenDropout);
    if (!drawn) return vectors;
    const mask = dropoutMask([2 * span, hiddenSize], drawn.rate, drawn.key);
    return mul(vectors, slice(mask, [first, 0], [count, hiddenSize]));
  }
}

serialization.registerClass(DebertaBlock);
