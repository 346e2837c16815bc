import { type Tensor, matMul, reshape, slice, transpose } from '@tensorflow/tfjs-core';
import { splitHeads } from '@hypetune/ops';

/**
 * Products of tokens with vectors of relative positions: result[b, head, i, j] = x[b, i] . vectors[row of i - j], [B, heads, T, T].
 * x is [B, T, H]; `vectors` [2 T, H], or [B, 2 T, H] where each row of the batch has its own, hold in row c the vector of distance
 * T - c, so that distances descend; row 0 is not read.
 */
export function relativeScores(x: Tensor, vectors: Tensor, heads: number): Tensor {
  if (vectors.rank === 3)
    return relativeShift(matMul(splitHeads(x, heads), splitHeads(vectors, heads), false, true));
  const [batch, length, hidden] = x.shape as [number, number, number];
  const byHead = (rows: Tensor): Tensor => transpose(reshape(rows, [-1, heads, hidden / heads]), [1, 0, 2]); // [heads, rows, size]
  // One product over the tokens of all rows of the batch: the vectors are the same for each.
  const products = matMul(byHead(x), byHead(vectors), false, true);
  const shifted = relativeShift(reshape(products, [heads, batch, length, 2 * length]));
  return transpose(shifted, [1, 0, 2, 3]);
}

/**
 * result[..., i, j] = x[..., i, T - i + j]: from columns by descending distance T, T - 1, ..., 1 - T to columns by token j
 * (Dai et al., 2019). Shapes alone change, no element is looked up. x is [A, B, T, 2 T], the result [A, B, T, T].
 */
export function relativeShift(x: Tensor): Tensor {
  const [a, b, length] = x.shape as [number, number, number];
  const lines = reshape(x, [a, b, 2 * length, length]);
  const rest = slice(lines, [0, 0, 1, 0], [a, b, 2 * length - 1, length]);
  return slice(reshape(rest, [a, b, length, 2 * length - 1]), [0, 0, 0, 0], [a, b, length, length]);
}
