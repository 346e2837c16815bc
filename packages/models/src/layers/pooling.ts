import {
  type Tensor,
  cast,
  div,
  equal,
  expandDims,
  matMul,
  max,
  mul,
  reshape,
  slice,
  sum,
  tensor1d,
} from '@tensorflow/tfjs-core';

/** The first token's hidden state: [B, T, H] -> [B, H]. */
export function firstToken(hidden: Tensor): Tensor {
  const [batch, , size] = hidden.shape as [number, number, number];
  return reshape(onlyFirst(hidden, 1), [batch, size]);
}

/** The part of the tokens that a block is asked for: with `firstOnly` the axis of tokens, or of queries, becomes 1. */
export function askedTokens(firstOnly: boolean): (x: Tensor, axis: number) => Tensor {
  return firstOnly ? onlyFirst : (x) => x;
}

/** The first token's part alone: the axis of the tokens becomes 1. */
function onlyFirst(x: Tensor, axis: number): Tensor {
  if (x.shape[axis] === 1) return x;
  return slice(
    x,
    x.shape.map(() => 0),
    x.shape.map((size, place) => (place === axis ? 1 : size)),
  );
}

/** The mean of the hidden states of a row's tokens, padding (0 in `mask` [B, T]) left out: [B, T, H] -> [B, H]. */
export function meanToken(hidden: Tensor, mask: Tensor): Tensor {
  const read = expandDims(cast(mask, 'float32'), -1);
  return div(sum(mul(hidden, read), 1), sum(read, 1));
}

/** The hidden state of each row's first or last token that is no padding, on whichever side that is: [B, T, H] -> [B, H]. */
export function outermostToken(hidden: Tensor, mask: Tensor, kind: 'first' | 'last'): Tensor {
  const [batch, length, size] = hidden.shape as [number, number, number];
  const order = Int32Array.from({ length }, (_, i) => (kind === 'last' ? i + 1 : length - i));
  const places = mul(cast(mask, 'float32'), cast(tensor1d(order, 'int32'), 'float32'));
  const chosen = cast(equal(places, max(places, 1, true)), 'float32'); // [B, T]
  return reshape(matMul(reshape(chosen, [batch, 1, length]), hidden), [batch, size]);
}
