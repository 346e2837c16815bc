import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  relu,
  serialization,
  tanh,
} from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { attention, dropout, gelu, layerNorm, linear } from '@hypetune/ops';
import { attentionBias } from './attention-bias.js';
import type { Dropout, Dropouts } from './dropouts.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpec,
  type WeightSpecs,
  type Weights,
} from './weighted-layer.js';

/** The function between the two linear maps of the feed-forward part; `gelu` is the exact form with the error function. */
export const ACTIVATIONS: Readonly<Record<Activation, (x: Tensor) => Tensor>> = { gelu, relu, tanh };
/** An activation's name in a checkpoint's configuration. */
export type Activation = 'gelu' | 'relu' | 'tanh';

/** What one encoder block is configured by; sizes are numbers of features. */
export interface TransformerBlockConfig extends WeightedLayerConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly heads: number;
  readonly activation: Activation;
  readonly epsilon: number;
  /** Dropout after the attention's and the feed-forward part's last linear map. */
  readonly hiddenDropout: number;
  /** Dropout on the attention probabilities. */
  readonly attentionDropout: number;
}

type Projection = 'attention.self.query' | 'attention.self.key' | 'attention.self.value';

/** The weights of a block behind its attention. */
export type OutputWeight =
  | `${'attention.output.dense' | 'intermediate.dense' | 'output.dense'}.${'weight' | 'bias'}`
  | `${'attention.output.LayerNorm' | 'output.LayerNorm'}.${'weight' | 'bias'}`;

/** The sixteen weights of a block. */
export type BlockWeight = `${Projection}.${'weight' | 'bias'}` | OutputWeight;

/** What {@link blockOutput} is configured by. */
export type OutputConfig = Pick<TransformerBlockConfig, 'activation' | 'epsilon' | 'hiddenDropout'>;

/** The weights that {@link blockOutput} reads. */
export function outputSpecs(
  hiddenSize: number,
  intermediateSize: number,
): Readonly<Record<OutputWeight, WeightSpec>> {
  const norm = { kind: 'scale', shape: [hiddenSize] } as const;
  const bias = { kind: 'bias', shape: [hiddenSize] } as const;
  return {
    'attention.output.dense.weight': linearSpec(hiddenSize, hiddenSize),
    'attention.output.dense.bias': bias,
    'attention.output.LayerNorm.weight': norm,
    'attention.output.LayerNorm.bias': bias,
    'intermediate.dense.weight': linearSpec(hiddenSize, intermediateSize),
    'intermediate.dense.bias': { kind: 'bias', shape: [intermediateSize] },
    'output.dense.weight': linearSpec(intermediateSize, hiddenSize),
    'output.dense.bias': bias,
    'output.LayerNorm.weight': norm,
    'output.LayerNorm.bias': bias,
  };
}

function blockSpecs({ hiddenSize, intermediateSize }: TransformerBlockConfig): WeightSpecs<BlockWeight> {
  const square = linearSpec(hiddenSize, hiddenSize);
  const bias = { kind: 'bias', shape: [hiddenSize] } as const;
  return {
    'attention.self.query.weight': square,
    'attention.self.query.bias': bias,
    'attention.self.key.weight': square,
    'attention.self.key.bias': bias,
    'attention.self.value.weight': square,
    'attention.self.value.bias': bias,
    ...outputSpecs(hiddenSize, intermediateSize),
  };
}

/** A linear kernel's kind and shape. */
export function linearSpec(inputs: number, outputs: number): WeightSpec {
  return { kind: 'linear', shape: [inputs, outputs] };
}

/**
 * One post-norm encoder block (Vaswani et al., 2017; Devlin et al., 2019):
 * a = LayerNorm(x + drop(Attention(x) Wo)), y = LayerNorm(a + drop(f(a W1) W2)).
 * `hidden` is [B, T, H], `bias` [B, 1, 1, T] is added to the attention scores; the result is [B, T, H].
 */
export function block(
  weights: Weights<BlockWeight>,
  hidden: Tensor,
  bias: Tensor,
  config: Omit<TransformerBlockConfig, keyof WeightedLayerConfig>,
  dropouts: Dropouts,
): Tensor {
  const project = (name: Projection): Tensor =>
    linear(hidden, weights[`${name}.weight`] as Tensor2D, weights[`${name}.bias`] as Tensor1D);
  const context = attention(
    project('attention.self.query'),
    project('attention.self.key'),
    project('attention.self.value'),
    config.heads,
    bias,
    dropouts('attention', 'attention.self', config.attentionDropout),
  );
  return blockOutput(weights, hidden, context, config, dropouts);
}

/** The block behind its attention, whose result `context` is, [B, T, H]: projection, two residual sums, feed-forward part. */
export function blockOutput(
  weights: Weights<OutputWeight>,
  hidden: Tensor,
  context: Tensor,
  config: OutputConfig,
  dropouts: Dropouts,
): Tensor {
  const dense = (name: 'attention.output.dense' | 'intermediate.dense' | 'output.dense', x: Tensor): Tensor =>
    linear(x, weights[`${name}.weight`] as Tensor2D, weights[`${name}.bias`] as Tensor1D);
  const norm = (name: 'attention.output.LayerNorm' | 'output.LayerNorm', x: Tensor): Tensor =>
    layerNorm(x, weights[`${name}.weight`] as Tensor1D, weights[`${name}.bias`] as Tensor1D, config.epsilon);
  const drop = (place: string, x: Tensor): Tensor =>
    applyDropout(x, dropouts('hidden', place, config.hiddenDropout));
  const projected = drop('attention.output', dense('attention.output.dense', context));
  const attended = norm('attention.output.LayerNorm', add(projected, hidden));
  const inner = ACTIVATIONS[config.activation](dense('intermediate.dense', attended)); // [B, T, I]
  return norm('output.LayerNorm', add(drop('output', dense('output.dense', inner)), attended));
}

/** `x` after the dropout, if there is one. */
export function applyDropout(x: Tensor, drawn: Dropout | undefined): Tensor {
  return drawn ? dropout(x, drawn.rate, drawn.key) : x;
}

/** {@link block} as a layer; inputs are the hidden states [B, T, H] and the attention mask [B, T] of 1 (read) and 0 (padding). */
export class TransformerBlock extends WeightedLayer<BlockWeight> {
  static readonly className = 'TransformerBlock';
  override readonly hypetune: HypetuneMark = { site: 'hidden', fresh: [] };
  override readonly weightSpecs: WeightSpecs<BlockWeight>;

  constructor(private readonly config: TransformerBlockConfig) {
    super(config);
    this.weightSpecs = blockSpecs(config);
  }

  override computeOutputShape(inputShape: Shape[]): Shape {
    return inputShape[0]!;
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }

  protected override forward([hidden, mask]: readonly [Tensor, Tensor], dropouts: Dropouts): Tensor {
    return block(this.readWeights(), hidden, attentionBias(mask), this.config, dropouts);
  }
}

serialization.registerClass(TransformerBlock);
