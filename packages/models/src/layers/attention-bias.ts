import { type Tensor, cast, mul, reshape, sub } from '@tensorflow/tfjs-core';

/** What is added to the attention scores: 0 where `mask` [B, T] is 1, -1e9 (no attention) where it is 0; [B, 1, 1, T]. */
export function attentionBias(mask: Tensor): Tensor {
  const [batch, length] = mask.shape as [number, number];
  return reshape(mul(sub(1, cast(mask, 'float32')), -1e9), [batch, 1, 1, length]);
}
