import {
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  add,
  cast,
  concat,
  expandDims,
  mul,
  pad,
  reshape,
  serialization,
  slice,
  transpose,
} from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { layerNorm, linear } from '@hypetune/ops';
import { type Activation, ACTIVATIONS } from '../../layers/activations.js';
import type { Dropouts } from '../../layers/dropouts.js';
import { applyDropout } from '../../layers/transformer-block.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from '../../layers/weighted-layer.js';

/** What the convolution is configured by. */
export interface DebertaConvolutionConfig extends WeightedLayerConfig {
  readonly hiddenSize: number;
  /** Tokens that one result is made of, an odd number. */
  readonly kernelSize: number;
  readonly activation: Activation;
  readonly epsilon: number;
  readonly hiddenDropout: number;
}

/** The weights of the convolution; its kernel is [out, in, kernel size], as stored. */
export type ConvolutionWeight = `${'conv' | 'LayerNorm'}.${'weight' | 'bias'}`;

/**
 * mask * LayerNorm(y + f(drop(mask * conv(x)))), what the large models of v2 do to the first block's result y, x being what
 * entered it; it belongs to that block. Inputs are x, y, both [B, T, H], and the attention mask [B, T]; the result is [B, T, H].
 */
export class DebertaConvolution extends WeightedLayer<ConvolutionWeight> {
  static readonly className = 'DebertaConvolution';
  override readonly hypetune: HypetuneMark = { site: undefined, fresh: [] };
  override readonly weightSpecs: WeightSpecs<ConvolutionWeight>;

  constructor(private readonly config: DebertaConvolutionConfig) {
    super(config);
    const { hiddenSize, kernelSize } = config;
    this.weightSpecs = {
      'conv.weight': { kind: 'table', shape: [hiddenSize, hiddenSize, kernelSize] },
      'conv.bias': { kind: 'bias', shape: [hiddenSize] },
      'LayerNorm.weight': { kind: 'scale', shape: [hiddenSize] },
      'LayerNorm.bias': { kind: 'bias', shape: [hiddenSize] },
    };
  }

  override computeOutputShape(inputShape: Shape[]): Shape {
    return inputShape[0]!;
  }

  protected override forward([x, y, mask]: readonly [Tensor, Tensor, Tensor], dropouts: Dropouts): Tensor {
    const { activation, epsilon, hiddenDropout } = this.config;
    const weights = this.readWeights();
    const real = expandDims(cast(mask, 'float32'), 2);
    const convolved = mul(this.convolve(x, weights['conv.weight'], weights['conv.bias'] as Tensor1D), real);
    const active = ACTIVATIONS[activation](
      applyDropout(convolved, dropouts('hidden', 'dropout', hiddenDropout)),
    );
    const scale = weights['LayerNorm.weight'] as Tensor1D;
    return mul(layerNorm(add(y, active), scale, weights['LayerNorm.bias'] as Tensor1D, epsilon), real);
  }

  /** A linear map of each token and its neighbours side by side. */
  private convolve(x: Tensor, kernel: Tensor, bias: Tensor1D): Tensor {
    const { hiddenSize, kernelSize } = this.config;
    const around = (kernelSize - 1) / 2;
    const padded = pad(x, [
      [0, 0],
      [around, around],
      [0, 0],
    ]);
    const shifts = Array.from({ length: kernelSize }, (_, i) => slice(padded, [0, i, 0], x.shape));
    const flat = reshape(transpose(kernel, [2, 1, 0]), [kernelSize * hiddenSize, hiddenSize]);
    return linear(concat(shifts, 2), flat as Tensor2D, bias);
  }
}

serialization.registerClass(DebertaConvolution);
