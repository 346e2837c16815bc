import { type Tensor, type Tensor1D, type Tensor2D, serialization, tanh } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { linear } from '@hypetune/ops';
import { firstToken } from './pooling.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from './weighted-layer.js';

/** What the pooler is configured by. */
export interface BertPoolerConfig extends WeightedLayerConfig {
  readonly hiddenSize: number;
  /** What stands before `weight` and `bias` in the weights' names, default `dense.`. */
  readonly part?: string;
}

/** tanh(h W + b) of the first token's hidden state: [B, T, H] -> [B, H]. */
export class BertPooler extends WeightedLayer<string> {
  static readonly className = 'BertPooler';
  override readonly hypetune: HypetuneMark = { site: 'pooler', fresh: [], reads: 'first' };
  override readonly weightSpecs: WeightSpecs<string>;
  private readonly part: string;

  constructor(private readonly config: BertPoolerConfig) {
    super(config);
    const { hiddenSize, part = 'dense.' } = config;
    this.part = part;
    this.weightSpecs = {
      [`${part}weight`]: { kind: 'linear', shape: [hiddenSize, hiddenSize] },
      [`${part}bias`]: { kind: 'bias', shape: [hiddenSize] },
    };
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return [inputShape[0]!, this.config.hiddenSize];
  }

  protected override forward([hidden]: readonly [Tensor]): Tensor {
    const kernel = this.readWeight(`${this.part}weight`) as Tensor2D;
    const bias = this.readWeight(`${this.part}bias`) as Tensor1D;
    return tanh(linear(firstToken(hidden), kernel, bias));
  }
}

serialization.registerClass(BertPooler);
