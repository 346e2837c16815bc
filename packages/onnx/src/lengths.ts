import type { Graph, Value } from './graph.js';

/** Number of tokens in a row, as a list of one integer. `tokens` is one of the inputs [B, T]. */
export function lengthOf(graph: Graph, tokens: Value): Value {
  return graph.once('length', () => graph.add('Shape', [tokens], { start: 1, end: 2 }));
}

/** 0, 1, ..., T - 1 as integers. */
export function places(graph: Graph, tokens: Value): Value {
  return graph.once('places', () => count(graph, graph.integer(0), lengthAsScalar(graph, tokens), 1));
}

/** T, T - 1, ..., 1 - T, or -T, 1 - T, ..., T - 1: [2 T]. */
export function distances(graph: Graph, tokens: Value, order: 'ascending' | 'descending'): Value {
  return graph.once(`distances ${order}`, () => {
    const length = lengthAsScalar(graph, tokens);
    const negative = graph.once('negative length', () => graph.add('Neg', [length]));
    return order === 'ascending' ? count(graph, negative, length, 1) : count(graph, length, negative, -1);
  });
}

/** For a query in each row the distance of each key, j - i: [T, T]. */
export function keyDistances(graph: Graph, tokens: Value): Value {
  return graph.once('key distances', () => {
    const all = places(graph, tokens);
    return graph.add('Sub', [all, graph.reshape(all, -1, 1)]);
  });
}

function lengthAsScalar(graph: Graph, tokens: Value): Value {
  return graph.once('length as a scalar', () =>
    graph.add('Squeeze', [lengthOf(graph, tokens), graph.list(0)]),
  );
}

function count(graph: Graph, from: Value, to: Value, step: number): Value {
  return graph.add('Range', [from, to, graph.integer(step)]);
}
