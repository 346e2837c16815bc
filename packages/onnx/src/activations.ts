import type { Activation } from '@hypetune/models/layers';
import type { Graph, Value } from './graph.js';

type Apply = (graph: Graph, x: Value) => Value;

/** x (1 + erf(x / sqrt(2))) / 2, as the optimizers of runtimes recognize it. */
const gelu: Apply = (graph, x) => {
  const error = graph.add('Erf', [graph.add('Div', [x, graph.number(Math.SQRT2)])]);
  const share = graph.add('Add', [error, graph.number(1)]);
  return graph.add('Mul', [graph.add('Mul', [x, share]), graph.number(0.5)]);
};

/** x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3). */
const tangentGelu: Apply = (graph, x) => {
  const slope = 2 * Math.sqrt(2 / Math.PI);
  const square = graph.add('Mul', [graph.add('Mul', [x, x]), graph.number(slope * 0.044715)]);
  const doubled = graph.add('Mul', [x, graph.add('Add', [square, graph.number(slope)])]);
  return graph.add('Mul', [x, graph.add('Sigmoid', [doubled])]);
};

const silu: Apply = (graph, x) => graph.add('Mul', [x, graph.add('Sigmoid', [x])]);
const relu: Apply = (graph, x) => graph.add('Relu', [x]);
const tanh: Apply = (graph, x) => graph.add('Tanh', [x]);

/** The activations by the names that `transformers` gives them. */
export const ACTIVATIONS: Readonly<Record<Activation, Apply>> = {
  gelu,
  gelu_fast: tangentGelu,
  gelu_new: tangentGelu,
  gelu_python: gelu,
  gelu_pytorch_tanh: tangentGelu,
  relu,
  silu,
  swish: silu,
  tanh,
};
