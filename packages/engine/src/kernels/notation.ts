import type { Operand, Operations } from '../recording/kernel.js';
import type { Attribute } from '../recording/attribute.js';
import { TF_ATTR_BOOL, sizeOf } from '../recording/data-types.js';

/** Numbers in a row up to which its sum may be a product with as many ones, which the program holds. */
const LONGEST_ROW = 2 ** 14;

/** Short forms of the operations that the kernels are written in; a number stands for a float32 scalar. */
export class Notation {
  readonly #operations: Operations;

  constructor(operations: Operations) {
    this.#operations = operations;
  }

  op(name: string, ...inputs: (Operand | number)[]): Operand {
    return this.#operations.op(
      name,
      inputs.map((input) => this.#operand(input)),
    );
  }

  #operand(input: Operand | number): Operand {
    return typeof input === 'number' ? this.#operations.constant(Float32Array.of(input)) : input;
  }

  #flagged(name: string, inputs: Operand[], flags: readonly string[]): Operand {
    const attributes = flags.map((flag): Attribute => ({ name: flag, type: TF_ATTR_BOOL, value: true }));
    return this.#operations.op(name, inputs, attributes);
  }

  integers(...values: number[]): Operand {
    return this.#operations.constant(Int32Array.from(values), [values.length]);
  }

  add(a: Operand | number, b: Operand | number): Operand {
    return this.op('AddV2', a, b);
  }

  sub(a: Operand | number, b: Operand | number): Operand {
    return this.op('Sub', a, b);
  }

  mul(a: Operand | number, b: Operand | number): Operand {
    return this.op('Mul', a, b);
  }

  div(a: Operand | number, b: Operand | number): Operand {
    return this.op('RealDiv', a, b);
  }

  reshape(x: Operand, shape: readonly number[]): Operand {
    return this.op('Reshape', x, this.integers(...shape));
  }

  /** All axes but the last as one: [..., n] -> [rows, n]. */
  rows(x: Operand): Operand {
    const last = x.shape.at(-1) ?? 1;
    return x.shape.length === 2 ? x : this.reshape(x, [sizeOf(x.shape) / last, last]);
  }

  transpose(x: Operand, ...axes: number[]): Operand {
    return this.op('Transpose', x, this.integers(...axes));
  }

  /** The transpose of a matrix as a tensor of its own: the compiler would fold it into a product that then runs slower. */
  transposed(x: Operand): Operand {
    return this.#operations.barrier(this.transpose(x, 1, 0));
  }

  /** Product of two matrices; `flags` among transpose_a, transpose_b. */
  matMul(a: Operand, b: Operand, ...flags: ('transpose_a' | 'transpose_b')[]): Operand {
    return this.#flagged('MatMul', [a, b], flags);
  }

  /** Products of two stacks of matrices; `flags` among adj_x, adj_y. */
  batchMatMul(a: Operand, b: Operand, ...flags: ('adj_x' | 'adj_y')[]): Operand {
    return this.#flagged('BatchMatMulV2', [a, b], flags);
  }

  /** Sum over one axis, which is dropped. */
  sum(x: Operand, axis: number): Operand {
    return this.op('Sum', x, this.integers(axis));
  }

  /**
   * Sum over one axis, which is dropped. XLA has a fast sum, but not for a product: there the largest of it and nothing
   * stands in for it, which unlike a barrier compiles at once.
   */
  fastSum(x: Operand, axis: number): Operand {
    return this.sum(this.op('Maximum', x, -Infinity), axis);
  }

  /** Sum over the last axis, which stays with size 1. */
  sumLast(x: Operand): Operand {
    const length = x.shape.at(-1)!;
    if (!this.#operations.sumsAsProducts || length > LONGEST_ROW)
      return this.#flagged('Sum', [x, this.integers(-1)], ['keep_dims']);
    const ones = this.#operations.constant(new Float32Array(length).fill(1), [length, 1]);
    return this.reshape(this.matMul(this.rows(x), ones), [...x.shape.slice(0, -1), 1]);
  }

  /** Mean over the last axis, which stays with size 1. */
  meanLast(x: Operand): Operand {
    return this.mul(this.sumLast(x), 1 / x.shape.at(-1)!);
  }
}
