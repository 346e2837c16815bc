import {
  type Tensor,
  abs,
  cast,
  lessEqual,
  mul,
  range,
  reshape,
  serialization,
  sub,
  tidy,
} from '@tensorflow/tfjs-core';
import { type Shape, layers } from '@tensorflow/tfjs-layers';

/**
 * What is added to the attention scores: 0 where `mask` [B, T] is 1, -1e9 (no attention) where it is 0; [B, 1, 1, T].
 * With a `window` also -1e9 where key and query are further apart; [B, 1, T, T], unless the window holds all.
 */
export function attentionBias(mask: Tensor, window: number = Infinity): Tensor {
  const [batch, length] = mask.shape as [number, number];
  const read = reshape(cast(mask, 'float32'), [batch, 1, 1, length]);
  if (length <= window + 1) return mul(sub(1, read), -1e9);
  const places = range(0, length);
  const near = lessEqual(abs(sub(reshape(places, [length, 1]), places)), window);
  return mul(sub(1, mul(read, cast(near, 'float32'))), -1e9);
}

/** What the layer is configured by. */
export interface AttentionBiasConfig {
  readonly name: string;
  /** How far a key may be from its query; null: any distance. */
  readonly window: number | null;
}

/** {@link attentionBias} as a layer, where blocks share it: mask [B, T] -> [B, 1, 1 or T, T]. */
export class AttentionBias extends layers.Layer {
  static readonly className = 'AttentionBias';

  constructor(private readonly config: AttentionBiasConfig) {
    super({ name: config.name });
  }

  override computeOutputShape([batch, length]: Shape): Shape {
    return [batch!, 1, null, length!];
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const mask = Array.isArray(inputs) ? inputs[0]! : inputs;
    return tidy(() => attentionBias(mask, this.config.window ?? Infinity));
  }
}

serialization.registerClass(AttentionBias);
