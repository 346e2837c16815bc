import type { Attribute } from './attribute.js';
import type { TypedArray } from './data-types.js';

/** A tensor inside a kernel: of the graph while recording, a value when run at once. */
export interface Operand {
  readonly dtype: number;
  readonly shape: readonly number[];
}

/** How a kernel writes itself down, operation by operation; type attributes are inferred from the inputs. */
export interface Operations {
  /**
   * Whether the sum of a row is written as its product with ones: XLA adds up a row on processors one number after another, while
   * its product with a vector takes sixteen at once.
   */
  readonly sumsAsProducts: boolean;
  /** Adds an operation with one output. */
  op(name: string, inputs: readonly Operand[], attributes?: readonly Attribute[]): Operand;
  /** Adds an operation with several outputs. */
  ops(
    name: string,
    inputs: readonly Operand[],
    outputs: number,
    attributes?: readonly Attribute[],
  ): Operand[];
  /** The same tensor; in a compiled function nothing before it is rewritten together with what comes after it. */
  barrier(x: Operand): Operand;
  /** The same of several tensors: nothing after the barrier is computed before all of them. */
  barriers(xs: readonly Operand[]): Operand[];
  /** A tensor of fixed values. */
  constant(values: TypedArray, shape?: readonly number[]): Operand;
}

/**
 * How an operation treats the rows of its tensors, their places along one axis: each row of a result is made from the same
 * row of the inputs, so that rows which nobody reads need not be computed.
 */
export interface RowRule {
  /** By input the axis that its rows lie along; undefined: every row of the result needs all of it. */
  readonly inputs: readonly (number | undefined)[];
  /** By output the same; undefined: a sum over the rows. */
  readonly outputs: readonly (number | undefined)[];
  /** The input in which rows of zeros make rows of zeros, and add nothing to the sums. */
  readonly gradient?: number;
}

/** Several operations that tfjs calls as one kernel: recorded as one entry, however many operations it has. */
export interface Kernel {
  readonly name: string;
  /** Writes the operations down; `attributes` are those of the call. */
  build(operations: Operations, inputs: readonly Operand[], attributes: readonly Attribute[]): Operand[];
  readonly rows?: RowRule;
  /** For each output the input whose memory it may take over, if any. */
  readonly replaces?: readonly (number | undefined)[];
  /** A step that holds it is written in pieces: a compiler that sees it whole would undo what it is for. */
  readonly parts?: boolean;
  /** Compile it also where single operations run at once. */
  readonly fuse?: boolean;
}
