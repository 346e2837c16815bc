import {
  type Tensor,
  type Tensor1D,
  add,
  mean,
  mul,
  rsqrt,
  serialization,
  square,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { layerNorm } from '@hypetune/ops';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from './weighted-layer.js';

/** Layer normalization whose offset may be missing. */
export function normalize(x: Tensor, scale: Tensor, offset: Tensor | undefined, epsilon: number): Tensor {
  return layerNorm(x, scale as Tensor1D, (offset ?? zerosLike(scale)) as Tensor1D, epsilon);
}

/** Root mean square normalization (Zhang, Sennrich 2019) over the last axis: x / sqrt(mean(x^2) + epsilon) * scale. */
export function normalizeSquares(x: Tensor, scale: Tensor, epsilon: number): Tensor {
  return mul(mul(x, rsqrt(add(mean(square(x), -1, true), epsilon))), scale);
}

/** What the normalization is configured by. */
export interface FinalNormalizationConfig extends WeightedLayerConfig {
  readonly size: number;
  readonly epsilon: number;
  /** `layer` with an offset or without one, or `squares`, which has none. */
  readonly kind: 'layer' | 'layer without offset' | 'squares';
}

/** The normalization after the last block of a pre-norm encoder; it belongs to that block. [B, T, H] -> [B, T, H]. */
export class FinalNormalization extends WeightedLayer<'weight' | 'bias'> {
  static readonly className = 'FinalNormalization';
  override readonly hypetune: HypetuneMark = { site: undefined, fresh: [], reads: 'each' };
  override readonly weightSpecs: WeightSpecs<'weight' | 'bias'>;

  constructor(private readonly config: FinalNormalizationConfig) {
    super(config);
    const { size, kind } = config;
    this.weightSpecs = {
      weight: { kind: 'scale', shape: [size] },
      ...(kind === 'layer' ? { bias: { kind: 'bias', shape: [size] } } : {}),
    } as WeightSpecs<'weight' | 'bias'>;
  }

  override computeOutputShape(inputShape: Shape): Shape {
    return inputShape;
  }

  protected override forward([hidden]: readonly [Tensor]): Tensor {
    const { weight, bias } = this.readWeights() as { weight: Tensor; bias?: Tensor };
    const { kind, epsilon } = this.config;
    return kind === 'squares'
      ? normalizeSquares(hidden, weight, epsilon)
      : normalize(hidden, weight, bias, epsilon);
  }
}

serialization.registerClass(FinalNormalization);
