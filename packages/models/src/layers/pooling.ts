import { type Tensor, cast, div, expandDims, mul, reshape, slice, sum } from '@tensorflow/tfjs-core';

/** The first token's hidden state: [B, T, H] -> [B, H]. */
export function firstToken(hidden: Tensor): Tensor {
  const [batch, , size] = hidden.shape as [number, number, number];
  return reshape(slice(hidden, [0, 0, 0], [batch, 1, size]), [batch, size]);
}

/** The mean of the hidden states of a row's tokens, padding (0 in `mask` [B, T]) left out: [B, T, H] -> [B, H]. */
export function meanToken(hidden: Tensor, mask: Tensor): Tensor {
  const read = expandDims(cast(mask, 'float32'), -1);
  return div(sum(mul(hidden, read), 1), sum(read, 1));
}
