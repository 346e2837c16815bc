import { type Tensor, type Tensor1D, type Tensor2D, serialization } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { linear } from '@hypetune/ops';
import type { Dropouts } from './dropouts.js';
import { applyDropout } from './transformer-block.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from './weighted-layer.js';

/** What the head is configured by: `labels` is the number of classes, 1 for regression. */
export interface ClassificationHeadConfig extends WeightedLayerConfig {
  readonly hiddenSize: number;
  readonly labels: number;
  readonly dropout: number;
}

export type HeadWeight = 'weight' | 'bias';

/** Dropout, then a linear map to one logit a label: [B, H] -> [B, labels], or [B, T, H] -> [B, T, labels]. */
export class ClassificationHead extends WeightedLayer<HeadWeight> {
  static readonly className = 'ClassificationHead';
  override readonly hypetune: HypetuneMark = { site: 'head', fresh: [] };
  override readonly weightSpecs: WeightSpecs<HeadWeight>;

  constructor(private readonly config: ClassificationHeadConfig) {
    super(config);
    const { hiddenSize, labels } = config;
    this.weightSpecs = {
      weight: { kind: 'linear', shape: [hiddenSize, labels], perLabel: true },
      bias: { kind: 'bias', shape: [labels], perLabel: true },
    };
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return [...inputShape.slice(0, -1), this.config.labels];
  }

  protected override forward([pooled]: readonly [Tensor], dropouts: Dropouts): Tensor {
    const { weight, bias } = this.readWeights();
    const dropped = applyDropout(pooled, dropouts('hidden', 'dropout', this.config.dropout));
    return linear(dropped, weight as Tensor2D, bias as Tensor1D);
  }
}

serialization.registerClass(ClassificationHead);
