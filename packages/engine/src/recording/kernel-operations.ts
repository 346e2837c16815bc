import type { Attribute } from './attribute.js';
import {
  TF_ATTR_BOOL,
  TF_FLOAT,
  TF_INT32,
  TF_UINT32,
  sizeOf,
  type TypedArray,
  type Values,
} from './data-types.js';
import type { Operand, Operations } from './kernel.js';
import type { Node } from './platform.js';

export const KEEP_DIMENSIONS: readonly Attribute[] = [{ name: 'keep_dims', type: TF_ATTR_BOOL, value: true }];

/** Numbers in a row up to which its sum may be a product with as many ones, which the program holds. */
const LONGEST_ROW = 2 ** 14;

/**
 * What a kernel writes itself down with, into a graph or anything like it. `sumsAsProducts` writes the sums of rows as products
 * with ones: XLA adds up a row on processors one number after another, while its product with a vector takes sixteen at once.
 */
export function kernelOperations({ add, constant }: Page, sumsAsProducts: boolean): Operations {
  const op = (name: string, inputs: readonly Operand[], attributes: readonly Attribute[] = []): Operand =>
    known(add(name, attributes, inputs as Node[], 1)[0]!);
  const tensor = (values: TypedArray, shape: readonly number[] = []): Operand =>
    known(constant(typeOf(values), shape, values));
  const shaped = (x: Operand, shape: readonly number[]): Operand =>
    op('Reshape', [x, tensor(Int32Array.from(shape), [shape.length])]);
  return {
    op,
    ops: (name, from, outputs, attributes = []) => add(name, attributes, from as Node[], outputs).map(known),
    barrier: (x) => known(add('XlaOptimizationBarrier', [], [x as Node], 1)[0]!),
    barriers: (xs) => add('XlaOptimizationBarrier', [], xs as Node[], xs.length).map(known),
    rowSums: (x) => {
      const [size, length] = [sizeOf(x.shape), x.shape.at(-1)!];
      if (!sumsAsProducts || length > LONGEST_ROW)
        return op('Sum', [x, tensor(Int32Array.of(-1), [1])], KEEP_DIMENSIONS);
      const ones = tensor(new Float32Array(length).fill(1), [length, 1]);
      const sums = op('MatMul', [shaped(x, [size / length, length]), ones]);
      return shaped(sums, [...x.shape.slice(0, -1), 1]);
    },
    constant: tensor,
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

/** The type of a kernel's constant. */
export function typeOf(values: TypedArray): number {
  if (values instanceof Float32Array) return TF_FLOAT;
  if (values instanceof Uint32Array) return TF_UINT32;
  if (values instanceof Int32Array) return TF_INT32;
  throw new Error(
    `A kernel's constant must be Float32Array, Int32Array or Uint32Array, got ${values.constructor.name}.`,
  );
}
