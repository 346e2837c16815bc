import type { Attribute } from '../libtensorflow/attributes.js';
import { TF_FLOAT, TF_INT32, TF_UINT32, type TypedArray } from '../libtensorflow/data-types.js';
import type { Runtime, Value } from '../libtensorflow/values.js';
import type { Graph, Node } from './graph.js';
import type { Kernel, Operand, Operations } from './kernel.js';

/** Writes a kernel into a graph; the graph operations it needed are added to `operations`. */
export function writeKernel(
  graph: Graph,
  kernel: Kernel,
  inputs: readonly Node[],
  attributes: readonly Attribute[],
  operations: number[],
): Node[] {
  const keep = (nodes: Node[]): Node[] => {
    operations.push(nodes[0]!.oper);
    return nodes;
  };
  const writer: Operations = {
    op: (name, from, attributesOf = []) => known(keep(graph.add(name, attributesOf, from as Node[], 1))[0]!),
    ops: (name, from, outputs, attributesOf = []) =>
      keep(graph.add(name, attributesOf, from as Node[], outputs)).map(known),
    barrier: (x) => known(keep(graph.add('XlaOptimizationBarrier', [], [x as Node], 1))[0]!),
    constant: (values, shape = []) => known(keep([graph.constant(typeOf(values), shape, values)])[0]!),
  };
  return kernel.build(writer, inputs as readonly Operand[], attributes) as Node[];
}

function known(node: Node): Node & Operand {
  if (node.shape === null) throw new Error('A kernel made a tensor whose shape depends on data.');
  return node as Node & Operand;
}

/** Runs a kernel's operations one by one. */
export function runKernel(
  runtime: Runtime,
  kernel: Kernel,
  inputs: readonly Value[],
  attributes: readonly Attribute[],
): Value[] {
  const made: Value[] = [];
  const keep = (values: Value[]): Value[] => {
    made.push(...values);
    return values;
  };
  const runner: Operations = {
    op: (name, from, attributesOf = []) => keep(runtime.execute(name, attributesOf, from as Value[], 1))[0]!,
    ops: (name, from, outputs, attributesOf = []) =>
      keep(runtime.execute(name, attributesOf, from as Value[], outputs)),
    barrier: (x) => x,
    constant: (values, shape = []) => keep([runtime.fromHost(typeOf(values), shape, values)])[0]!,
  };
  let results: Value[] = [];
  try {
    results = kernel.build(runner, inputs, attributes) as Value[];
    return results;
  } finally {
    for (const value of made) if (!results.includes(value)) runtime.release(value);
  }
}

function typeOf(values: TypedArray): number {
  if (values instanceof Float32Array) return TF_FLOAT;
  if (values instanceof Uint32Array) return TF_UINT32;
  if (values instanceof Int32Array) return TF_INT32;
  throw new Error(
    `A kernel's constant must be Float32Array, Int32Array or Uint32Array, got ${values.constructor.name}.`,
  );
}
