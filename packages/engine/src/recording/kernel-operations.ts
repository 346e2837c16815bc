import type { Attribute } from './attribute.js';
import { TF_FLOAT, TF_INT32, TF_UINT32, type TypedArray, type Values } from './data-types.js';
import type { Operand, Operations } from './kernel.js';
import type { Node } from './platform.js';

/** What a kernel writes itself down with, into a graph or anything like it. */
export function kernelOperations({ add, constant, sumsAsProducts }: Page): Operations {
  return {
    sumsAsProducts,
    op: (name, from, attributes = []) => known(add(name, attributes, from as Node[], 1)[0]!),
    ops: (name, from, outputs, attributes = []) => add(name, attributes, from as Node[], outputs).map(known),
    barrier: (x) => known(add('XlaOptimizationBarrier', [], [x as Node], 1)[0]!),
    barriers: (xs) => add('XlaOptimizationBarrier', [], xs as Node[], xs.length).map(known),
    constant: (values, shape = []) => known(constant(typeOf(values), shape, values)),
  };
}

/** Where operations are written. */
interface Page extends Pick<Operations, 'sumsAsProducts'> {
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

/** The type of a kernel's constant. */
export function typeOf(values: TypedArray): number {
  if (values instanceof Float32Array) return TF_FLOAT;
  if (values instanceof Uint32Array) return TF_UINT32;
  if (values instanceof Int32Array) return TF_INT32;
  throw new Error(
    `A kernel's constant must be Float32Array, Int32Array or Uint32Array, got ${values.constructor.name}.`,
  );
}
