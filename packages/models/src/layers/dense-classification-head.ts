import { type Tensor, type Tensor1D, type Tensor2D, serialization, tanh } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { gelu, linear } from '@hypetune/ops';
import type { ClassificationHeadConfig } from './classification-head.js';
import type { Dropouts } from './dropouts.js';
import { firstToken } from './pooling.js';
import { applyDropout } from './transformer-block.js';
import { type HypetuneMark, WeightedLayer, type WeightSpecs } from './weighted-layer.js';

/** The function inside the head: ELECTRA's is `gelu`, RoBERTa's `tanh`. */
export type HeadActivation = 'gelu' | 'tanh';

/** What the head is configured by. */
export interface DenseClassificationHeadConfig extends ClassificationHeadConfig {
  readonly activation: HeadActivation;
}

/** The weights of the head. */
export type DenseHeadWeight = 'dense.weight' | 'dense.bias' | 'out_proj.weight' | 'out_proj.bias';

/** drop(f(drop(h) W1 + b1)) W2 + b2 of the first token's hidden state: [B, T, H] -> [B, labels]. */
export class DenseClassificationHead extends WeightedLayer<DenseHeadWeight> {
  static readonly className = 'DenseClassificationHead';
  override readonly hypetune: HypetuneMark = { site: 'head', fresh: [], reads: 'first' };
  override readonly weightSpecs: WeightSpecs<DenseHeadWeight>;

  constructor(private readonly config: DenseClassificationHeadConfig) {
    super(config);
    const { hiddenSize, labels } = config;
    this.weightSpecs = {
      'dense.weight': { kind: 'linear', shape: [hiddenSize, hiddenSize] },
      'dense.bias': { kind: 'bias', shape: [hiddenSize] },
      'out_proj.weight': { kind: 'linear', shape: [hiddenSize, labels], perLabel: true },
      'out_proj.bias': { kind: 'bias', shape: [labels], perLabel: true },
    };
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return [inputShape[0]!, this.config.labels];
  }

  protected override forward([hidden]: readonly [Tensor], dropouts: Dropouts): Tensor {
    const weights = this.readWeights();
    const drop = (place: string, x: Tensor): Tensor =>
      applyDropout(x, dropouts('hidden', place, this.config.dropout));
    const dense = (name: 'dense' | 'out_proj', x: Tensor): Tensor =>
      linear(x, weights[`${name}.weight`] as Tensor2D, weights[`${name}.bias`] as Tensor1D);
    const inner = dense('dense', drop('dropout', firstToken(hidden)));
    return dense('out_proj', drop('dense', this.config.activation === 'gelu' ? gelu(inner) : tanh(inner)));
  }
}

serialization.registerClass(DenseClassificationHead);
