import type { Graph, Value } from './graph.js';
import { lengthOf, places } from './lengths.js';

/** The first token's hidden state: [B, T, H] -> [B, H]. */
export function firstToken(graph: Graph, hidden: Value): Value {
  return graph.add('Gather', [hidden, graph.integer(0)], { axis: 1 });
}

/** The mean over a row's tokens, padding left out; zeros where all is padding: [B, T, H] -> [B, H]. */
export function meanToken(graph: Graph, hidden: Value, mask: Value): Value {
  const read = graph.add('Unsqueeze', [graph.cast(mask, 'float'), graph.list(2)]);
  return graph.inFloat32(hidden, (wide) => {
    const sum = (x: Value): Value => graph.add('ReduceSum', [x, graph.list(1)], { keepdims: 0 });
    const tokens = graph.add('Max', [sum(read), graph.number(1, 'float')]);
    return graph.add('Div', [sum(graph.add('Mul', [wide, read])), tokens]);
  });
}

/** The hidden state of each row's first or last token that is no padding, on whichever side that is: [B, T, H] -> [B, H]. */
export function outermostToken(graph: Graph, hidden: Value, mask: Value, kind: 'first' | 'last'): Value {
  const rising = graph.add('Add', [places(graph, mask), graph.integer(1)]);
  const order = kind === 'last' ? rising : graph.add('Sub', [lengthOf(graph, mask), places(graph, mask)]);
  const ranks = graph.add('Mul', [graph.cast(mask, 'float'), graph.cast(order, 'float')]);
  const chosen = graph.add('ArgMax', [ranks], { axis: 1, keepdims: 1 }); // [B, 1]
  return graph.add('GatherND', [hidden, chosen], { batch_dims: 1 });
}
