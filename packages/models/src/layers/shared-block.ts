import { type Tensor, serialization } from '@tensorflow/tfjs-core';
import type { Shape, layers } from '@tensorflow/tfjs-layers';
import type { Dropouts } from './dropouts.js';
import { TransformerBlock } from './transformer-block.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
} from './weighted-layer.js';

/** What a block without weights of its own is configured by. */
export interface SharedBlockConfig extends WeightedLayerConfig {
  /** Name of the {@link TransformerBlock} further down in the model whose weights it computes with. */
  readonly owner: string;
}

/** A layer of its own, with draws of its own, that computes with the weights of a block below it (Lan et al., 2020). */
export class SharedBlock extends WeightedLayer<string> {
  static readonly className = 'SharedBlock';
  override readonly hypetune: HypetuneMark = { site: 'hidden', fresh: [], firstOnly: true };
  override readonly weightSpecs: WeightSpecs<string> = {};

  constructor(private readonly config: SharedBlockConfig) {
    super(config);
  }

  override computeOutputShape(inputShape: Shape[]): Shape {
    return inputShape[0]!;
  }

  protected override forward(inputs: readonly Tensor[], dropouts: Dropouts, firstOnly: boolean): Tensor {
    return this.owner().forward(inputs, dropouts, firstOnly);
  }

  /** Found by following the hidden states back, so that a model that was saved and loaded needs no further link. */
  private owner(): TransformerBlock {
    let layer: layers.Layer | undefined = this as layers.Layer;
    while (layer && layer.name !== this.config.owner) layer = layer.inboundNodes[0]?.inboundLayers[0];
    if (layer instanceof TransformerBlock) return layer;
    throw new Error(
      `${this.name}: there is no block "${this.config.owner}" below it, whose weights it reads`,
    );
  }
}

serialization.registerClass(SharedBlock);
