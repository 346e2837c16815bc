import { type Tensor, type Tensor1D, type Tensor2D, add, serialization } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { attention, dropout, layerNorm, linear } from '@hypetune/ops';
import { ACTIVATIONS, type Activation } from './activations.js';
import { attentionBias } from './attention-bias.js';
import type { Dropout, Dropouts } from './dropouts.js';
import { askedTokens } from './pooling.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
  type Weights,
  linearSpecs,
  normSpecs,
} from './weighted-layer.js';

/** The parts of a block that have a weight and a bias: six linear maps and two normalizations. */
export type BlockPart =
  'query' | 'key' | 'value' | 'projection' | 'attentionNorm' | 'inner' | 'outer' | 'outputNorm';

/** What a checkpoint calls the parts of a block. */
export type BlockNames = Readonly<Record<BlockPart, string>>;

/** The names in BERT, ELECTRA and RoBERTa. */
export const BERT_BLOCK: BlockNames = {
  query: 'attention.self.query',
  key: 'attention.self.key',
  value: 'attention.self.value',
  projection: 'attention.output.dense',
  attentionNorm: 'attention.output.LayerNorm',
  inner: 'intermediate.dense',
  outer: 'output.dense',
  outputNorm: 'output.LayerNorm',
};

/** What one encoder block is configured by; sizes are numbers of features. */
export interface TransformerBlockConfig extends WeightedLayerConfig {
  /** Default {@link BERT_BLOCK}. */
  readonly names?: BlockNames;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly heads: number;
  readonly activation: Activation;
  readonly epsilon: number;
  /** Dropout after the attention's and the feed-forward part's last linear map. */
  readonly hiddenDropout: number;
  /** The one of these two places where a family has no such dropout; default none. */
  readonly undropped?: 'projection' | 'outer';
  /** Dropout on the attention probabilities. */
  readonly attentionDropout: number;
}

/** The parts behind the attention. */
type OutputPart = Exclude<BlockPart, 'query' | 'key' | 'value'>;

/** The sixteen weights of a block by its parts. */
export type BlockWeight = `${BlockPart}.${'weight' | 'bias'}`;

/** The weights of the parts behind the attention. */
export type OutputWeight = `${OutputPart}.${'weight' | 'bias'}`;

function blockSpecs({
  names = BERT_BLOCK,
  hiddenSize,
  intermediateSize,
}: TransformerBlockConfig): WeightSpecs<string> {
  return {
    ...linearSpecs(names.query, hiddenSize, hiddenSize),
    ...linearSpecs(names.key, hiddenSize, hiddenSize),
    ...linearSpecs(names.value, hiddenSize, hiddenSize),
    ...outputSpecs(names, hiddenSize, intermediateSize),
  };
}

/** The weights that {@link blockOutput} reads. */
export function outputSpecs(
  names: BlockNames,
  hiddenSize: number,
  intermediateSize: number,
): WeightSpecs<string> {
  return {
    ...linearSpecs(names.projection, hiddenSize, hiddenSize),
    ...normSpecs(names.attentionNorm, hiddenSize),
    ...linearSpecs(names.inner, hiddenSize, intermediateSize),
    ...linearSpecs(names.outer, intermediateSize, hiddenSize),
    ...normSpecs(names.outputNorm, hiddenSize),
  };
}

/**
 * One post-norm encoder block (Vaswani et al., 2017; Devlin et al., 2019):
 * a = LayerNorm(x + drop(Attention(x) Wo)), y = LayerNorm(a + drop(f(a W1) W2)).
 * `hidden` is [B, T, H], `bias` is added to the attention scores [B, heads, T, T] and broadcast to them; the result is [B, T, H],
 * with `firstOnly` the first token's [B, 1, H].
 */
export function block(
  weights: Weights<BlockWeight>,
  hidden: Tensor,
  bias: Tensor,
  config: Omit<TransformerBlockConfig, keyof WeightedLayerConfig>,
  dropouts: Dropouts,
  firstOnly: boolean,
): Tensor {
  const dense = (part: BlockPart, x: Tensor): Tensor =>
    linear(x, weights[`${part}.weight`] as Tensor2D, weights[`${part}.bias`] as Tensor1D);
  const asked = askedTokens(firstOnly);
  const asking = asked(hidden, 1);
  const context = attention(
    dense('query', asking),
    dense('key', hidden),
    dense('value', hidden),
    config.heads,
    asked(bias, 2),
    dropouts('attention', 'attention.self', config.attentionDropout),
  );
  return blockOutput(weights, asking, context, config, dropouts);
}

/** The half of a block behind its attention, whose result is `context` [B, T, H], for tokens of which `hidden` is what entered the block. */
export function blockOutput(
  weights: Weights<OutputWeight>,
  hidden: Tensor,
  context: Tensor,
  config: Pick<TransformerBlockConfig, 'activation' | 'epsilon' | 'hiddenDropout' | 'undropped'>,
  dropouts: Dropouts,
): Tensor {
  const dense = (part: OutputPart, x: Tensor): Tensor =>
    linear(x, weights[`${part}.weight`] as Tensor2D, weights[`${part}.bias`] as Tensor1D);
  const norm = (part: OutputPart, x: Tensor): Tensor =>
    layerNorm(x, weights[`${part}.weight`] as Tensor1D, weights[`${part}.bias`] as Tensor1D, config.epsilon);
  const drop = (part: 'projection' | 'outer', place: string, x: Tensor): Tensor =>
    part === config.undropped ? x : applyDropout(x, dropouts('hidden', place, config.hiddenDropout));

  const projected = drop('projection', 'attention.output', dense('projection', context));
  const attended = norm('attentionNorm', add(projected, hidden));
  const inner = ACTIVATIONS[config.activation](dense('inner', attended)); // [B, T, I]
  return norm('outputNorm', add(drop('outer', 'output', dense('outer', inner)), attended));
}

/** A block's weights by its parts, found by their names in the checkpoint. */
export function weightsByPart(
  weights: Weights<string>,
  names: BlockNames = BERT_BLOCK,
): Weights<BlockWeight> {
  return Object.fromEntries(
    Object.entries(names).flatMap(([part, name]) =>
      ['weight', 'bias'].map((kind) => [`${part}.${kind}`, weights[`${name}.${kind}`]]),
    ),
  ) as Weights<BlockWeight>;
}

/** `x` after the dropout, if there is one. */
export function applyDropout(x: Tensor, drawn: Dropout | undefined): Tensor {
  return drawn ? dropout(x, drawn.rate, drawn.key) : x;
}

/**
 * {@link block} as a layer; inputs are the hidden states [B, T, H], the attention mask [B, T] of 1 (read) and 0 (padding)
 * and, where the family has one, a bias of the scores [1, heads, T, T].
 */
export class TransformerBlock extends WeightedLayer<string> {
  static readonly className = 'TransformerBlock';
  override readonly hypetune: HypetuneMark = { site: 'hidden', fresh: [], firstOnly: true };
  override readonly weightSpecs: WeightSpecs<string>;

  constructor(private readonly config: TransformerBlockConfig) {
    super(config);
    this.weightSpecs = blockSpecs(config);
  }

  override computeOutputShape(inputShape: Shape[]): Shape {
    return inputShape[0]!;
  }

  /** The block with the dropouts of whoever runs it. */
  override forward(inputs: readonly Tensor[], dropouts: Dropouts, firstOnly: boolean): Tensor {
    const [hidden, mask, scores] = inputs as [Tensor, Tensor, Tensor?];
    const bias = attentionBias(mask);
    return block(
      weightsByPart(this.readWeights(), this.config.names),
      hidden,
      scores ? add(scores, bias) : bias,
      this.config,
      dropouts,
      firstOnly,
    );
  }
}

serialization.registerClass(TransformerBlock);
