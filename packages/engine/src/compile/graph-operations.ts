import type { Attribute } from '../libtensorflow/attributes.js';
import { TF_FLOAT, TF_INT32, TF_UINT32, type TypedArray, type Values } from '../libtensorflow/data-types.js';
import type { Runtime, Value } from '../libtensorflow/values.js';
import { digest } from './digest.js';
import type { Graph, Node } from './graph.js';
import type { Kernel, Operand, Operations } from './kernel.js';

/** Writes a kernel into a graph, as a call of a function that all calls with such inputs and attributes share. */
export function writeKernel(
  graph: Graph,
  kernel: Kernel,
  inputs: readonly Node[],
  attributes: readonly Attribute[],
): Node[] {
  const signature = digest([attributes, inputs.map(({ dtype, shape }) => [dtype, shape])]);
  return graph.call(
    `${kernel.name}_${signature}`,
    inputs,
    (body, parameters) =>
      kernel.build(
        kernelOperations({
          add: (name, attributesOf, from, outputs) => body.add(name, attributesOf, from, outputs),
          constant: (dtype, shape, values) => body.constant(dtype, shape, values),
        }),
        parameters as Operand[],
        attributes,
      ) as Node[],
  );
}

/** What a kernel writes itself down with, into a graph or anything like it. */
export function kernelOperations({ add, constant }: Page): Operations {
  return {
    op: (name, from, attributes = []) => known(add(name, attributes, from as Node[], 1)[0]!),
    ops: (name, from, outputs, attributes = []) => add(name, attributes, from as Node[], outputs).map(known),
    barrier: (x) => known(add('XlaOptimizationBarrier', [], [x as Node], 1)[0]!),
    barriers: (xs) => add('XlaOptimizationBarrier', [], xs as Node[], xs.length).map(known),
    constant: (values, shape = []) => known(constant(typeOf(values), shape, values)),
  };
}

/** Where operations are written. */
interface Page {
  readonly add: (
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly Node[],
    outputs: number,
  ) => Node[];
  readonly constant: (dtype: number, shape: readonly number[], values: Values) => Node;
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
    barriers: (xs) => keep(xs.map((x) => runtime.execute('Identity', [], [x as Value], 1)[0]!)),
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
