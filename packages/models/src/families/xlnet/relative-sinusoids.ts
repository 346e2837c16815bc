import { type Tensor, concat, mul, reverse, serialization, slice, tensor2d } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { dropoutMask } from '@hypetune/ops';
import type { Dropout, Dropouts } from '../../layers/dropouts.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from '../../layers/weighted-layer.js';

/** What the positions are configured by. */
export interface RelativeSinusoidsConfig extends WeightedLayerConfig {
  readonly hiddenSize: number;
  /** Distances beyond count as this one (`clamp_len`); 0 or less: none do. */
  readonly farthest: number;
  readonly hiddenDropout: number;
}

/** By how much each of the angles grows from one distance to the next. */
export function sinusoidFrequencies(hiddenSize: number): Float32Array {
  return Float32Array.from({ length: hiddenSize / 2 }, (_, i) => 10_000 ** ((-2 * i) / hiddenSize));
}

/**
 * Sines, then cosines, of distances T, T - 1, ..., 1 - T (Dai et al., 2019), row after row: [2 T, H]. In float32, as the reference
 * computes them.
 */
export function relativeSinusoids(length: number, hiddenSize: number, farthest: number): Float32Array {
  const half = hiddenSize / 2;
  const values = new Float32Array(2 * length * hiddenSize);
  const limit = farthest > 0 ? farthest : Infinity;
  const frequencies = sinusoidFrequencies(hiddenSize);
  for (let row = 0; row < 2 * length; row++) {
    const distance = Math.min(Math.max(length - row, -limit), limit);
    for (let i = 0; i < half; i++) {
      const angle = Math.fround(distance * frequencies[i]!);
      values[row * hiddenSize + i] = Math.sin(angle);
      values[row * hiddenSize + half + i] = Math.cos(angle);
    }
  }
  return values;
}

/**
 * The vectors of relative positions for all blocks. Of the input, token ids [B, T], the shape alone is read; the result is
 * [2 T, H] or, where dropout acts on it, [B, 2 T, H].
 */
export class RelativeSinusoids extends WeightedLayer<string> {
  static readonly className = 'RelativeSinusoids';
  override readonly hypetune: HypetuneMark = { site: 'embedding', fresh: [] };
  override readonly weightSpecs: WeightSpecs<string> = {};
  private readonly computed = new Map<number, Float32Array>();

  constructor(private readonly config: RelativeSinusoidsConfig) {
    super(config);
  }

  override computeOutputShape(): Shape {
    return [null, this.config.hiddenSize];
  }

  protected override forward([ids]: readonly [Tensor], dropouts: Dropouts): Tensor {
    const [batch, length] = ids.shape as [number, number];
    const { hiddenSize, farthest, hiddenDropout } = this.config;
    const values = this.computed.get(length) ?? relativeSinusoids(length, hiddenSize, farthest);
    this.computed.set(length, values);
    const positions = tensor2d(values, [2 * length, hiddenSize]);
    const drawn = dropouts('hidden', 'positions', hiddenDropout);
    return drawn ? mul(positions, dropped(batch, length, hiddenSize, drawn)) : positions;
  }
}

/** What dropout multiplies by, drawn by distance from 0 on either side, so that longer batches share it: [B, 2 T, H]. */
function dropped(batch: number, length: number, size: number, { rate, key }: Dropout): Tensor {
  const mask = dropoutMask([batch, length + 1, 2 * size], rate, key);
  const before = slice(mask, [0, 0, 0], [batch, length + 1, size]);
  const after = slice(mask, [0, 1, size], [batch, length - 1, size]);
  return concat([reverse(before, 1), after], 1);
}

serialization.registerClass(RelativeSinusoids);
