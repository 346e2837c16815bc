import { sizeOf, type TypedArray } from './data-types.js';
import type { RowRule } from './kernel.js';
import { CONSTANT, sameShape, type Entry } from './trie.js';

/** Rows of a tensor: `size` of them from `start` on, along `axis`. */
export interface Rows {
  readonly axis: number;
  readonly start: number;
  readonly size: number;
}

export function sameRows(a: Rows, b: Rows): boolean {
  return a.axis === b.axis && a.start === b.start && a.size === b.size;
}

/**
 * Element by element: which inputs have to be zero for the result to be zero, if any have to. Of a product it is one: where
 * nothing is read, no infinity is met that would make it NaN.
 */
const elementwise: Readonly<Record<string, 'first' | 'one' | 'all' | 'never'>> = {
  Abs: 'first',
  Add: 'all',
  AddV2: 'all',
  Cast: 'first',
  Erf: 'first',
  Exp: 'never',
  Greater: 'never',
  Maximum: 'all',
  Minimum: 'all',
  Mul: 'one',
  Neg: 'first',
  RealDiv: 'never',
  Relu: 'first',
  Rsqrt: 'never',
  Sigmoid: 'never',
  Sqrt: 'first',
  Square: 'first',
  Sub: 'all',
  Tanh: 'first',
};

/** Whether an operation changes nothing but, at most, the elements one by one. */
function isElementwise({ name, inputs, outputs }: Entry): boolean {
  // Gradients reshape to the shape they have.
  if (name === 'Reshape') return sameShape(inputs[0]!.shape, outputs[0]!.shape!);
  return Object.hasOwn(elementwise, name) && inputs.length > 0;
}

/** How an operation treats the rows along an axis of its first result, or of its gradient; undefined: it mixes them. */
export function rowRule(entry: Entry, axis: number): RowRule | undefined {
  const { kernel, inputs, outputs } = entry;
  if (kernel !== undefined) {
    const { rows } = kernel;
    if (rows?.inputs[0] !== axis) return undefined;
    // Along the last axis lie the features, which kernels do mix.
    if (inputs.some(({ shape }, i) => shape.length <= (rows.inputs[i] ?? -1) + 1)) return undefined;
    return { ...rows, inputs: inputs.map(({ shape }, i) => rowAxis(shape, rows.inputs[i])) };
  }
  if (!isElementwise(entry)) return undefined;
  const { length } = outputs[0]!.shape!;
  return {
    inputs: inputs.map(({ reference, shape }) =>
      reference === CONSTANT ? undefined : rowAxis(shape, axis - length + shape.length),
    ),
    outputs: [axis],
  };
}

/** The axis if a tensor of this shape has rows there: one that is broadcast is read as a whole. */
function rowAxis(shape: readonly number[], axis: number | undefined): number | undefined {
  return axis === undefined || (shape[axis] ?? 1) === 1 ? undefined : axis;
}

/** What is taken where an operation cuts rows out of its first input. */
export function slicedRows({ name, inputs, outputs }: Entry): Rows | undefined {
  if (name !== 'Slice') return undefined;
  const [x, begin] = inputs;
  return narrowedRows(x!.shape, outputs[0]!.shape!, (axis) => Number((begin!.values as TypedArray)[axis]));
}

/** Where the input lies in the result of an operation that surrounds it with zeros. */
export function paddedRows({ name, inputs, outputs }: Entry): Rows | undefined {
  if (name !== 'Pad' && name !== 'PadV2') return undefined;
  const [x, paddings, value] = inputs;
  if (value !== undefined && Number((value.values as TypedArray)[0]) !== 0) return undefined;
  return narrowedRows(outputs[0]!.shape!, x!.shape, (axis) =>
    Number((paddings!.values as TypedArray)[2 * axis]),
  );
}

/** The one axis on which a tensor is smaller than another. */
function narrowedRows(
  wide: readonly number[],
  narrow: readonly number[],
  start: (axis: number) => number,
): Rows | undefined {
  const axes = wide.flatMap((size, axis) => (size === narrow[axis] ? [] : [axis]));
  if (axes.length !== 1 || sizeOf(narrow) === 0) return undefined;
  const axis = axes[0]!;
  return { axis, start: start(axis), size: narrow[axis]! };
}

/** The rows outside of which a result is zero, given those of the inputs. */
export function nonzeroRows(entry: Entry, inputs: readonly (Rows | undefined)[]): Rows | undefined {
  const padded = paddedRows(entry);
  if (padded !== undefined) return padded;
  const { kernel, outputs } = entry;
  if (kernel !== undefined) {
    const given = kernel.rows?.gradient === undefined ? undefined : inputs[kernel.rows.gradient];
    return given !== undefined && rowRule(entry, given.axis) !== undefined ? given : undefined;
  }
  if (!isElementwise(entry)) return undefined;
  const needs = entry.name === 'Reshape' ? 'first' : elementwise[entry.name];
  if (needs === 'never') return undefined;
  // Where an input is broadcast its rows are not those of the result.
  const own = inputs.map((rows, i) =>
    sameShape(entry.inputs[i]!.shape, outputs[0]!.shape!) ? rows : undefined,
  );
  if (needs === 'first') return own[0];
  if (needs === 'one') return own.find((rows) => rows !== undefined);
  return own[0] && own.every((rows) => rows && sameRows(rows, own[0]!)) ? own[0] : undefined;
}
