import { type Tensor, type Tensor1D, serialization, slice } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { layerNorm } from '@hypetune/ops';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from '../../layers/weighted-layer.js';
import { type RelativeRowsConfig, relativeRows } from './relative-rows.js';

/** What the table is configured by. */
export interface RelativeTableConfig extends WeightedLayerConfig, RelativeRowsConfig {
  readonly hiddenSize: number;
  /** Whether the rows are normalized (`norm_rel_ebd`: layer_norm). */
  readonly normalized: boolean;
  readonly epsilon: number;
}

/** The weights of the table, named as in the encoder that owns it. */
export type RelativeTableWeight = 'rel_embeddings.weight' | `LayerNorm.${'weight' | 'bias'}`;

/**
 * The vectors of relative positions that all blocks share: of the input, token ids [B, T], the length alone is read. The
 * result [rows, H] has a row for each distance, or bucket of distances, that the length needs, ascending.
 */
export class RelativeTable extends WeightedLayer<RelativeTableWeight> {
  static readonly className = 'RelativeTable';
  override readonly hypetune: HypetuneMark = { site: 'embedding', fresh: [] };
  override readonly weightSpecs: WeightSpecs<RelativeTableWeight>;

  constructor(private readonly config: RelativeTableConfig) {
    super(config);
    const { span, hiddenSize, normalized } = config;
    this.weightSpecs = {
      'rel_embeddings.weight': { kind: 'table', shape: [2 * span, hiddenSize] },
      ...(normalized && {
        'LayerNorm.weight': { kind: 'scale', shape: [hiddenSize] },
        'LayerNorm.bias': { kind: 'bias', shape: [hiddenSize] },
      }),
    } as WeightSpecs<RelativeTableWeight>;
  }

  override computeOutputShape(): Shape {
    return [null, this.config.hiddenSize];
  }

  protected override forward([ids]: readonly [Tensor]): Tensor {
    const { hiddenSize, normalized, epsilon } = this.config;
    const { first, count } = relativeRows(ids.shape[1]!, this.config);
    const rows = slice(this.readWeight('rel_embeddings.weight'), [first, 0], [count, hiddenSize]);
    if (!normalized) return rows;
    const scale = this.readWeight('LayerNorm.weight') as Tensor1D;
    return layerNorm(rows, scale, this.readWeight('LayerNorm.bias') as Tensor1D, epsilon);
  }
}

serialization.registerClass(RelativeTable);
