import { type Tensor, type Tensor1D, type Tensor2D, serialization } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { linear } from '@hypetune/ops';
import { type Activation, ACTIVATIONS } from '../../layers/activations.js';
import type { Dropouts } from '../../layers/dropouts.js';
import { firstToken } from '../../layers/pooling.js';
import { applyDropout } from '../../layers/transformer-block.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from '../../layers/weighted-layer.js';

type DenseWeight = 'dense.weight' | 'dense.bias';

/** What the pooler is configured by. */
export interface ContextPoolerConfig extends WeightedLayerConfig {
  readonly hiddenSize: number;
  readonly activation: Activation;
  readonly hiddenDropout: number;
}

/** f(drop(h) W + b) of the first token's hidden state: [B, T, H] -> [B, H]. */
export class ContextPooler extends WeightedLayer<DenseWeight> {
  static readonly className = 'ContextPooler';
  override readonly hypetune: HypetuneMark = { site: 'pooler', fresh: [], reads: 'first' };
  override readonly weightSpecs: WeightSpecs<DenseWeight>;

  constructor(private readonly config: ContextPoolerConfig) {
    super(config);
    const { hiddenSize } = config;
    this.weightSpecs = {
      'dense.weight': { kind: 'linear', shape: [hiddenSize, hiddenSize] },
      'dense.bias': { kind: 'bias', shape: [hiddenSize] },
    };
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return [inputShape[0]!, this.config.hiddenSize];
  }

  protected override forward([hidden]: readonly [Tensor], dropouts: Dropouts): Tensor {
    const { 'dense.weight': kernel, 'dense.bias': bias } = this.readWeights();
    const first = applyDropout(firstToken(hidden), dropouts('hidden', 'dropout', this.config.hiddenDropout));
    return ACTIVATIONS[this.config.activation](linear(first, kernel as Tensor2D, bias as Tensor1D));
  }
}

serialization.registerClass(ContextPooler);
