import { type Tensor, type Tensor1D, type Tensor2D, serialization } from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { linear } from '@hypetune/ops';
import { type Activation, ACTIVATIONS } from '../../layers/activations.js';
import type { Dropouts } from '../../layers/dropouts.js';
import { meanToken, outermostToken } from '../../layers/pooling.js';
import { applyDropout } from '../../layers/transformer-block.js';
import {
  type HypetuneMark,
  WeightedLayer,
  type WeightedLayerConfig,
  type WeightSpecs,
  linearSpecs,
} from '../../layers/weighted-layer.js';

/** Which tokens a summary is made of. */
export type SummaryKind = 'last' | 'first' | 'mean';

/** What the summary is configured by. */
export interface SequenceSummaryConfig extends WeightedLayerConfig {
  readonly hiddenSize: number;
  readonly kind: SummaryKind;
  /** Whether there is a linear map (`summary_use_proj`). */
  readonly projected: boolean;
  /** null: none. */
  readonly activation: Activation | null;
  /** Dropout of the encoder's output, before the map, and behind it all. */
  readonly hiddenDropout: number;
  readonly firstDropout: number;
  readonly lastDropout: number;
}

type SummaryWeight = `summary.${'weight' | 'bias'}`;

/**
 * drop(f(drop(h) W + b)) of a row's last token (XLNet's classification token), first token or mean. Inputs are the hidden states
 * [B, T, H] and the attention mask [B, T]; the result is [B, H].
 */
export class SequenceSummary extends WeightedLayer<SummaryWeight> {
  static readonly className = 'SequenceSummary';
  override readonly hypetune: HypetuneMark = { site: 'pooler', fresh: [] };
  override readonly weightSpecs: WeightSpecs<SummaryWeight>;

  constructor(private readonly config: SequenceSummaryConfig) {
    super(config);
    const { hiddenSize, projected } = config;
    this.weightSpecs = (
      projected ? linearSpecs('summary', hiddenSize, hiddenSize) : {}
    ) as WeightSpecs<SummaryWeight>;
  }

  override computeOutputShape([hidden]: Shape[]): Shape {
    return [hidden![0]!, this.config.hiddenSize];
  }

  protected override forward([hidden, mask]: readonly [Tensor, Tensor], dropouts: Dropouts): Tensor {
    const { kind, projected, activation, hiddenDropout, firstDropout, lastDropout } = this.config;
    const drop = (place: string, rate: number, x: Tensor): Tensor =>
      applyDropout(x, dropouts('hidden', place, rate));
    const taken =
      kind === 'mean'
        ? meanToken(drop('output', hiddenDropout, hidden), mask)
        : drop('output', hiddenDropout, outermostToken(hidden, mask, kind));
    let summary = drop('first', firstDropout, taken);
    if (projected) {
      const bias = this.readWeight('summary.bias') as Tensor1D;
      summary = linear(summary, this.readWeight('summary.weight') as Tensor2D, bias);
    }
    if (activation) summary = ACTIVATIONS[activation](summary);
    return drop('last', lastDropout, summary);
  }
}

serialization.registerClass(SequenceSummary);
