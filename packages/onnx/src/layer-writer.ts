import type { layers } from '@tensorflow/tfjs-layers';
import type { Graph, Value } from './graph.js';
import type { Precision } from './precision.js';
import { quantizedLookup, quantizedProduct } from './quantization.js';

/** Writes one layer into a graph: what its weights do, under their names in a checkpoint. */
export class LayerWriter {
  private readonly variables: ReadonlyMap<string, layers.Layer['weights'][number]>;

  constructor(
    readonly graph: Graph,
    readonly precision: Precision,
    private readonly layer: layers.Layer,
  ) {
    this.variables = new Map(
      layer.weights.map((variable) => [
        variable.originalName.slice(variable.originalName.indexOf('/') + 1),
        variable,
      ]),
    );
  }

  /** Whether the layer has a weight of this name (the part behind the layer's). */
  has(name: string): boolean {
    return this.variables.has(name);
  }

  /** A weight's numbers. */
  read(name: string): Float32Array {
    return this.variable(name).read().dataSync<'float32'>();
  }

  /** A weight as a constant. */
  weight(name: string): Value {
    return this.graph.constant(this.nameOf(name), () => this.graph.floats(this.read(name), this.shape(name)));
  }

  /** Numbers made of weights as a constant. */
  derived(name: string, dims: readonly number[], make: () => Float32Array): Value {
    return this.graph.constant(this.nameOf(name), () => this.graph.floats(make(), dims));
  }

  /** x W + b with the weights `name.weight` and, where there is one, `name.bias`; the kernel is [in, out]. */
  linear(name: string, x: Value): Value {
    const stem = name === '' ? '' : `${name}.`;
    const product = this.product(`${stem}weight`, x);
    return this.has(`${stem}bias`) ? this.graph.add('Add', [product, this.weight(`${stem}bias`)]) : product;
  }

  /** x W, in eight bits where the model has them. */
  product(name: string, x: Value): Value {
    if (this.precision !== 'q8') return this.graph.add('MatMul', [x, this.weight(name)]);
    const shape = this.shape(name) as [number, number];
    return quantizedProduct(this.graph, this.nameOf(name), x, () => this.read(name), shape);
  }

  /** The rows of a table for integers, in eight bits where the model has them. */
  lookup(name: string, ids: Value): Value {
    if (this.precision !== 'q8') return this.graph.add('Gather', [this.weight(name), ids]);
    const shape = this.shape(name) as [number, number];
    return quantizedLookup(this.graph, this.nameOf(name), ids, () => this.read(name), shape);
  }

  /** Layer normalization over the last axis, with an offset where there is one. */
  norm(name: string, x: Value, epsilon: number): Value {
    const offset = this.has(`${name}.bias`) ? [this.weight(`${name}.bias`)] : [];
    const attributes = { axis: -1, epsilon: { float: epsilon } };
    return this.graph.add('LayerNormalization', [x, this.weight(`${name}.weight`), ...offset], attributes);
  }

  /** Root mean square normalization over the last axis. */
  normSquares(name: string, x: Value, epsilon: number): Value {
    const { graph } = this;
    const normalized = graph.inFloat32(x, (wide) => {
      const squares = graph.add('Mul', [wide, wide]);
      const mean = graph.add('ReduceMean', [squares], { axes: [-1], keepdims: 1 });
      const raised = graph.add('Add', [mean, graph.number(epsilon, 'float')]);
      return graph.add('Div', [wide, graph.add('Sqrt', [raised])]);
    });
    return graph.add('Mul', [normalized, this.weight(name)]);
  }

  shape(name: string): readonly number[] {
    return this.variable(name).shape as number[];
  }

  private nameOf(name: string): string {
    return `${this.layer.name}.${name}`;
  }

  private variable(name: string): layers.Layer['weights'][number] {
    const variable = this.variables.get(name);
    if (variable) return variable;
    throw new Error(`${this.layer.name}: there is no weight "${name}" to write.`);
  }
}
