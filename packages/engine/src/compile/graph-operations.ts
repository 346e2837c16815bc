import type { Attribute } from '../recording/attribute.js';
import type { Runtime } from '../libtensorflow/values.js';
import type { Value } from '../recording/value.js';
import { kernelOperations, typeOf } from '../recording/kernel-operations.js';
import { digest } from '../recording/digest.js';
import type { Node } from '../recording/platform.js';
import type { Graph } from './graph.js';
import type { Kernel, Operand, Operations } from '../recording/kernel.js';

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
          sumsAsProducts: true,
        }),
        parameters as Operand[],
        attributes,
      ) as Node[],
  );
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
    sumsAsProducts: false,
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
