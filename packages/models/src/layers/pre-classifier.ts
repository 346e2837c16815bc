import { type Tensor, type Tensor1D, type Tensor2D, relu, serialization } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { linear } from '@hypetune/ops';
import type { HeadWeight } from './classification-head.js';
import { firstToken } from './pooling.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from './weighted-layer.js';

/** What the layer is configured by. */
export interface PreClassifierConfig extends WeightedLayerConfig {
  readonly hiddenSize: number;
}

/** The hidden layer of DistilBERT's head, relu(h W + b) of the first token: [B, T, H] -> [B, H]. */
export class PreClassifier extends WeightedLayer<HeadWeight> {
  static readonly className = 'PreClassifier';
  override readonly hypetune: HypetuneMark = { site: 'head', fresh: [], reads: 'first' };
  override readonly weightSpecs: WeightSpecs<HeadWeight>;

  constructor(private readonly config: PreClassifierConfig) {
    super(config);
    const { hiddenSize } = config;
    this.weightSpecs = {
      weight: { kind: 'linear', shape: [hiddenSize, hiddenSize] },
      bias: { kind: 'bias', shape: [hiddenSize] },
    };
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return [inputShape[0]!, this.config.hiddenSize];
  }

  protected override forward([hidden]: readonly [Tensor]): Tensor {
    const { weight, bias } = this.readWeights();
    return relu(linear(firstToken(hidden), weight as Tensor2D, bias as Tensor1D));
  }
}

serialization.registerClass(PreClassifier);
