import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  reshape,
  serialization,
  slice,
  tanh,
} from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { linear } from '@hypetune/ops';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from './weighted-layer.js';

/** The first token's hidden state: [B, T, H] -> [B, H]. */
export function firstToken(hidden: Tensor): Tensor {
  const [batch, , size] = hidden.shape as [number, number, number];
  return reshape(slice(hidden, [0, 0, 0], [batch, 1, size]), [batch, size]);
}

/** What the pooler is configured by. */
export interface BertPoolerConfig extends WeightedLayerConfig {
  readonly hiddenSize: number;
}

export type PoolerWeight = 'dense.weight' | 'dense.bias';

/** tanh(h W + b) of the first token's hidden state: [B, T, H] -> [B, H]. */
export class BertPooler extends WeightedLayer<PoolerWeight> {
  static readonly className = 'BertPooler';
  override readonly hypetune: HypetuneMark = { site: 'pooler', fresh: [] };
  override readonly weightSpecs: WeightSpecs<PoolerWeight>;

  constructor(private readonly config: BertPoolerConfig) {
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

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }

  protected override forward([hidden]: readonly [Tensor]): Tensor {
    const { 'dense.weight': kernel, 'dense.bias': bias } = this.readWeights();
    return tanh(linear(firstToken(hidden), kernel as Tensor2D, bias as Tensor1D));
  }
}

serialization.registerClass(BertPooler);
