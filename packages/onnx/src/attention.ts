import type { Graph, Value } from './graph.js';
import { keyDistances, lengthOf } from './lengths.js';

/**
 * What is added to scores that must not count. Two of them stay finite in float16; behind either a softmax is 0, or uniform where
 * all of a row is padding: never NaN.
 */
const hidden = (graph: Graph): number => (graph.float === 'float' ? -1e9 : -3e4);

/** 0 at tokens, a large negative number at padding: mask [B, T] -> [B, 1, 1, T]; with a window also at keys farther away: [B, 1, T, T]. */
export function attentionBias(graph: Graph, mask: Value, window?: number): Value {
  return graph.once(`attention bias of ${mask} within ${window ?? 'any distance'}`, () => {
    const read = graph.once(`read of ${mask}`, () =>
      graph.add('Unsqueeze', [graph.cast(mask, graph.float), graph.list(1, 2)]),
    );
    if (window === undefined) return biasOf(graph, read);
    const far = graph.add('Abs', [keyDistances(graph, mask)]);
    const near = graph.cast(graph.add('LessOrEqual', [far, graph.integer(window)]), graph.float);
    return biasOf(graph, graph.add('Mul', [read, near]));
  });
}

/** A large negative number at keys after the query: [T, T]. */
export function causalBias(graph: Graph, tokens: Value): Value {
  return graph.once('causal bias', () => {
    const before = graph.add('LessOrEqual', [keyDistances(graph, tokens), graph.integer(0)]);
    return biasOf(graph, graph.cast(before, graph.float));
  });
}

/** 0 where `read` is 1, a large negative number where it is 0. */
function biasOf(graph: Graph, read: Value): Value {
  return graph.add('Mul', [graph.add('Sub', [graph.number(1), read]), graph.number(hidden(graph))]);
}

/** The features of each head by themselves: [B, T, heads size] -> [B, heads, T, size]. */
export function splitHeads(graph: Graph, x: Value, heads: number): Value {
  return graph.transpose(graph.reshape(x, 0, 0, heads, -1), 0, 2, 1, 3);
}

/** Products of queries with keys, both [B, heads, T, size]: [B, heads, T, T]. */
export function products(graph: Graph, query: Value, key: Value): Value {
  return graph.add('MatMul', [query, graph.transpose(key, 0, 1, 3, 2)]);
}

/** softmax(scores) v, the heads side by side: scores [B, heads, T, T], value [B, heads, T, size] -> [B, T, heads size]. */
export function attentionByScores(graph: Graph, scores: Value, value: Value, hiddenSize: number): Value {
  const heard = graph.add('MatMul', [graph.add('Softmax', [scores], { axis: -1 }), value]);
  return graph.reshape(graph.transpose(heard, 0, 2, 1, 3), 0, 0, hiddenSize);
}

/**
 * Scores of tokens with vectors of relative positions (Dai et al., 2019): x [B, heads, T, size], vectors [2 T, heads size], row c for
 * distance T - c, of which row 0 is not read -> result[.., i, j] = x_i . vectors[i - j], [B, heads, T, T].
 */
export function relativeScores(
  graph: Graph,
  x: Value,
  vectors: Value,
  tokens: Value,
  { heads, size }: { readonly heads: number; readonly size: number },
): Value {
  const byHead = graph.transpose(graph.reshape(vectors, 1, -1, heads, size), 0, 2, 3, 1); // [1, heads, size, 2 T]
  return relativeShift(graph, graph.add('MatMul', [x, byHead]), tokens);
}

/** result[.., i, j] = x[.., i, T - i + j]: [B, heads, T, 2 T] -> [B, heads, T, T]. */
function relativeShift(graph: Graph, x: Value, tokens: Value): Value {
  const length = lengthOf(graph, tokens);
  const shape = (key: string, ...parts: readonly Value[]): Value =>
    graph.once(key, () => graph.add('Concat', [...parts], { axis: 0 }));
  const lines = graph.add('Reshape', [x, shape('lines', graph.list(0, 0, -1), length)]); // [B, heads, 2 T, T]
  const rest = graph.slice(lines, graph.list(1), graph.list(Number.MAX_SAFE_INTEGER), 2);
  const skewed = graph.add('Reshape', [rest, shape('skewed', graph.list(0, 0), length, graph.list(-1))]); // [B, heads, T, 2 T - 1]
  return graph.slice(skewed, graph.list(0), length, 3);
}
