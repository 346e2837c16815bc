import {
  type Tensor,
  add,
  gather,
  matMul,
  mul,
  pad,
  reverse,
  tensor1d,
  transpose,
} from '@tensorflow/tfjs-core';
import { splitHeads } from '@hypetune/ops';
import { relativeScores } from '../../layers/relative-scores.js';
import type { RelativeRows } from './relative-rows.js';

/** Keys and queries made of the relative positions, each [rows, H]; a model may have one of them or none. */
export interface PositionVectors {
  /** For "content to position" (c2p). */
  readonly keys?: Tensor;
  /** For "position to content" (p2c). */
  readonly queries?: Tensor;
}

/**
 * Disentangled scores (He et al., 2021): (q_i . k_j + q_i . K[i - j] + k_j . Q[i - j]) / sqrt(size terms), where K and Q are
 * made of the relative positions. query and key [B, T, H] -> [B, heads, T, T].
 */
export function disentangledScores(
  query: Tensor,
  key: Tensor,
  { keys, queries }: PositionVectors,
  rows: RelativeRows,
  heads: number,
  terms: number,
): Tensor {
  const scale = Math.sqrt(heads / (query.shape[2]! * terms));
  const q = mul(query, scale);
  let scores = matMul(splitHeads(q, heads), splitHeads(key, heads), false, true);
  if (keys) scores = add(scores, relativeScores(q, byDistance(keys, rows, 'descending'), heads));
  if (queries) {
    // Seen from the key, distances have the other sign.
    const seenFromKeys = relativeScores(key, byDistance(mul(queries, scale), rows, 'ascending'), heads);
    scores = add(scores, transpose(seenFromKeys, [0, 1, 3, 2]));
  }
  return scores;
}

/** A vector for each distance from 1 - T to T - 1, or back, behind one that is not read: [rows, H] -> [2 T, H]. */
function byDistance(vectors: Tensor, { indices }: RelativeRows, order: 'ascending' | 'descending'): Tensor {
  const each = indices ? gather(vectors, tensor1d(indices, 'int32')) : vectors;
  const ordered = order === 'ascending' ? each : reverse(each, 0);
  return pad(ordered, [
    [1, 0],
    [0, 0],
  ]);
}
