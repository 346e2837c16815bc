import { type Tensor, type Tensor1D, type Tensor2D, add, reshape, slice } from '@tensorflow/tfjs-core';
import { linear } from '@hypetune/ops';
import { type WeightSpecs, type Weights, linearSpecs } from '../../layers/weighted-layer.js';
import type { PositionVectors } from './disentangled-attention.js';

/** A kind of score beside content to content: content to position, position to content. */
export type PositionTerm = 'c2p' | 'p2c';

/** Sizes of the projections, and which of them there are. */
export interface ProjectionConfig {
  readonly hiddenSize: number;
  readonly heads: number;
  /** The position terms of the scores. */
  readonly terms: readonly PositionTerm[];
  /** Whether there are relative positions at all (`relative_attention`). */
  readonly relative: boolean;
  /** Whether positions go through the projections of the content (`share_att_key`). */
  readonly shared: boolean;
}

/** Queries, keys and values, each [B, T, H]. */
export interface Projected {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
}

/** How one version of DeBERTa makes queries, keys and values of tokens and of positions. */
export interface Projections {
  readonly specs: (config: ProjectionConfig) => WeightSpecs<string>;
  readonly tokens: (weights: Weights<string>, hidden: Tensor, config: ProjectionConfig) => Projected;
  /** Of `vectors` [rows, H]. */
  readonly positions: (
    weights: Weights<string>,
    vectors: Tensor,
    config: ProjectionConfig,
  ) => PositionVectors;
}

function apply(weights: Weights<string>, name: string, x: Tensor): Tensor {
  const kernel = weights[`attention.self.${name}.weight`] as Tensor2D;
  return linear(x, kernel, weights[`attention.self.${name}.bias`] as Tensor1D | undefined);
}

/** DeBERTa (He et al., 2021): one kernel for all three, without a bias for keys; positions have kernels of their own. */
export const FUSED: Projections = {
  specs: ({ hiddenSize, terms, relative }) => ({
    ...linearSpecs('attention.self.in_proj', hiddenSize, 3 * hiddenSize, false),
    'attention.self.q_bias': { kind: 'bias', shape: [hiddenSize] },
    'attention.self.v_bias': { kind: 'bias', shape: [hiddenSize] },
    ...(relative &&
      terms.includes('c2p') &&
      linearSpecs('attention.self.pos_proj', hiddenSize, hiddenSize, false)),
    ...(relative &&
      terms.includes('p2c') &&
      linearSpecs('attention.self.pos_q_proj', hiddenSize, hiddenSize)),
  }),
  tokens: (weights, hidden, { heads }) => {
    const [batch, length, hiddenSize] = hidden.shape as [number, number, number];
    const size = hiddenSize / heads;
    // Head by head the kernel has the columns of its query, its key and its value.
    const all = reshape(apply(weights, 'in_proj', hidden), [batch, length, heads, 3 * size]);
    const part = (index: number): Tensor =>
      reshape(slice(all, [0, 0, 0, index * size], [batch, length, heads, size]), hidden.shape);
    return {
      query: add(part(0), weights['attention.self.q_bias']!),
      key: part(1),
      value: add(part(2), weights['attention.self.v_bias']!),
    };
  },
  positions: (weights, vectors, { terms }) => ({
    ...(terms.includes('c2p') && { keys: apply(weights, 'pos_proj', vectors) }),
    ...(terms.includes('p2c') && { queries: apply(weights, 'pos_q_proj', vectors) }),
  }),
};

/** DeBERTa v2 and v3 (He et al., 2021, 2023): three linear maps, which positions may share. */
export const SEPARATE: Projections = {
  specs: ({ hiddenSize, terms, relative, shared }) => {
    const names = ['query_proj', 'key_proj', 'value_proj'];
    if (relative && !shared && terms.includes('c2p')) names.push('pos_key_proj');
    if (relative && !shared && terms.includes('p2c')) names.push('pos_query_proj');
    return Object.assign(
      {},
      ...names.map((name) => linearSpecs(`attention.self.${name}`, hiddenSize, hiddenSize)),
    ) as WeightSpecs<string>;
  },
  tokens: (weights, hidden) => ({
    query: apply(weights, 'query_proj', hidden),
    key: apply(weights, 'key_proj', hidden),
    value: apply(weights, 'value_proj', hidden),
  }),
  positions: (weights, vectors, { terms, shared }) => ({
    ...(terms.includes('c2p') && { keys: apply(weights, shared ? 'key_proj' : 'pos_key_proj', vectors) }),
    ...(terms.includes('p2c') && {
      queries: apply(weights, shared ? 'query_proj' : 'pos_query_proj', vectors),
    }),
  }),
};
