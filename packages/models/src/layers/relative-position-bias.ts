import {
  type Tensor,
  type Tensor2D,
  add,
  expandDims,
  oneHot,
  reshape,
  serialization,
  slice,
  tensor1d,
  transpose,
  zeros,
} from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { linear } from '@hypetune/ops';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from './weighted-layer.js';

/** What the bias is configured by. */
export interface RelativePositionBiasConfig extends WeightedLayerConfig {
  /** Rows of the table, at least the number of buckets. */
  readonly rows: number;
  readonly buckets: number;
  readonly heads: number;
}

/** Distances from here on share the last bucket. */
export const FARTHEST = 128;

/**
 * The bucket of a key at `distance` from the query (Raffel et al., 2020): the upper half of the buckets is for keys after
 * the query; in each half the first half has a distance each, the rest ranges that grow with the logarithm.
 */
export function distanceBucket(distance: number, buckets: number): number {
  const half = Math.floor(buckets / 2);
  const exact = Math.floor(half / 2);
  const size = Math.abs(distance);
  // In float32, as the reference: at powers of two the quotient lies on a bucket's edge.
  const share = Math.fround(Math.fround(Math.log(size / exact)) / Math.fround(Math.log(FARTHEST / exact)));
  const range = Math.trunc(share * (half - exact));
  return (distance > 0 ? half : 0) + (size < exact ? size : Math.min(exact + range, half - 1));
}

/**
 * A number for each head and distance of key and query, to add to the attention scores: any [B, T] -> [1, heads, T, T].
 * The table is read by a one-hot product, as the token types of a BERT.
 */
export class RelativePositionBias extends WeightedLayer<'weight'> {
  static readonly className = 'RelativePositionBias';
  override readonly hypetune: HypetuneMark = { site: 'embedding', fresh: [] };
  override readonly weightSpecs: WeightSpecs<'weight'>;

  constructor(private readonly config: RelativePositionBiasConfig) {
    super(config);
    this.weightSpecs = { weight: { kind: 'table', shape: [config.rows, config.heads] } };
  }

  override computeOutputShape([, length]: Shape): Shape {
    return [1, this.config.heads, length!, length!];
  }

  protected override forward([mask]: readonly [Tensor]): Tensor {
    const { rows, buckets, heads } = this.config;
    const length = mask.shape[1]!;
    const period = 2 * length;
    // Distances 0, 1, ..., T - 1, then (-T), 1 - T, ..., -1: number d is at place d modulo the period.
    const numbers = Int32Array.from({ length: period }, (_, place) =>
      distanceBucket(place < length ? place : place - period, buckets),
    );
    const picked = oneHot(tensor1d(numbers, 'int32'), rows, 1, 0, 'float32'); // [period, rows]
    const values = transpose(linear(picked, this.readWeight('weight') as Tensor2D)); // [heads, period]
    // T copies, one after the other, cut into rows that are one shorter than a copy: row q starts at distance -q.
    const copies = add(expandDims(values, 1), zeros([1, length, 1])); // [heads, T, period]
    const cut = slice(reshape(copies, [heads, length * period]), [0, 0], [heads, length * (period - 1)]);
    const skewed = reshape(cut, [heads, length, period - 1]);
    return expandDims(slice(skewed, [0, 0, 0], [heads, length, length]), 0);
  }
}

serialization.registerClass(RelativePositionBias);
