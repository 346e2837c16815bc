import {
  TF_BOOL,
  TF_FLOAT,
  TF_INT32,
  TF_INT64,
  TF_UINT32,
  type TypedArray,
} from '../recording/data-types.js';
import { NotRecorded } from '../recording/recorder-setting.js';
import { typeOf, typeText, type Program, type Term } from './program.js';

/** StableHLO's operations, each written as one line. */

/** An operation of one input whose result has its shape, and its type unless another is given. */
export function unary(p: Program, name: string, x: Term, dialect = 'stablehlo'): Term {
  if (dialect === 'chlo')
    return p.write(x.dtype, x.shape, `chlo.${name} ${p.ref(x)} : ${typeOf(x)} -> ${typeOf(x)}`);
  return p.write(x.dtype, x.shape, `stablehlo.${name} ${p.ref(x)} : ${typeOf(x)}`);
}

/** An operation of two inputs, broadcast to their common shape. */
export function binary(p: Program, name: string, a: Term, b: Term): Term {
  const [x, y] = alike(p, a, b);
  return p.write(x.dtype, x.shape, `stablehlo.${name} ${p.ref(x)}, ${p.ref(y)} : ${typeOf(x)}`);
}

/** `direction` as LT. */
export function compare(p: Program, direction: string, a: Term, b: Term): Term {
  const [x, y] = alike(p, a, b);
  const type = typeOf(x);
  const result = typeText(TF_BOOL, x.shape);
  const text = `stablehlo.compare ${direction}, ${p.ref(x)}, ${p.ref(y)} : (${type}, ${type}) -> ${result}`;
  return p.write(TF_BOOL, x.shape, text);
}

export function select(p: Program, condition: Term, yes: Term, no: Term): Term {
  const shape = commonShape([condition.shape, yes.shape, no.shape]);
  const [c, x, y] = [condition, yes, no].map((term) => broadcast(p, term, shape)) as [Term, Term, Term];
  const text = `stablehlo.select ${p.ref(c)}, ${p.ref(x)}, ${p.ref(y)} : ${typeOf(c)}, ${typeOf(x)}`;
  return p.write(x.dtype, shape, text);
}

function alike(p: Program, a: Term, b: Term): [Term, Term] {
  if (a.dtype !== b.dtype) throw new NotRecorded(`operands have types ${a.dtype} and ${b.dtype}`);
  const shape = commonShape([a.shape, b.shape]);
  return [broadcast(p, a, shape), broadcast(p, b, shape)];
}

/** The shape that all broadcast to. */
export function commonShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map((shape) => shape[i - rank + shape.length] ?? 1);
    const size = sizes.find((one) => one !== 1) ?? 1;
    if (sizes.some((one) => one !== 1 && one !== size))
      throw new Error(
        `Shapes ${shapes.map((shape) => `[${shape.join(', ')}]`).join(' and ')} do not broadcast.`,
      );
    return size;
  });
}

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/** Broadcast as NumPy does. */
export function broadcast(p: Program, x: Term, shape: readonly number[]): Term {
  if (same(x.shape, shape)) return x;
  const first = shape.length - x.shape.length;
  // Sizes of one go: what is left keeps its size.
  const kept = x.shape.flatMap((size, i) => (size === 1 && shape[first + i] !== 1 ? [] : [i]));
  const narrow = reshape(
    p,
    x,
    kept.map((i) => x.shape[i]!),
  );
  return broadcastIn(
    p,
    narrow,
    shape,
    kept.map((i) => first + i),
  );
}

/** Broadcast with the axes of the result that those of `x` become. */
export function broadcastIn(p: Program, x: Term, shape: readonly number[], axes: readonly number[]): Term {
  const text = `stablehlo.broadcast_in_dim ${p.ref(x)}, dims = [${axes.join(', ')}] : (${typeOf(x)}) -> ${typeText(x.dtype, shape)}`;
  return p.write(x.dtype, shape, text);
}

export function reshape(p: Program, x: Term, shape: readonly number[]): Term {
  if (same(x.shape, shape)) return x;
  return p.write(
    x.dtype,
    shape,
    `stablehlo.reshape ${p.ref(x)} : (${typeOf(x)}) -> ${typeText(x.dtype, shape)}`,
  );
}

export function transpose(p: Program, x: Term, order: readonly number[]): Term {
  if (order.every((axis, i) => axis === i)) return x;
  const shape = order.map((axis) => x.shape[axis]!);
  const text = `stablehlo.transpose ${p.ref(x)}, dims = [${order.join(', ')}] : (${typeOf(x)}) -> ${typeText(x.dtype, shape)}`;
  return p.write(x.dtype, shape, text);
}

export function convert(p: Program, x: Term, dtype: number): Term {
  if (x.dtype === dtype) return x;
  return p.write(
    dtype,
    x.shape,
    `stablehlo.convert ${p.ref(x)} : (${typeOf(x)}) -> ${typeText(dtype, x.shape)}`,
  );
}

export function concatenate(p: Program, terms: readonly Term[], axis: number): Term {
  if (terms.length === 1) return terms[0]!;
  const shape = terms[0]!.shape.with(
    axis,
    terms.reduce((sum, term) => sum + term.shape[axis]!, 0),
  );
  const { dtype } = terms[0]!;
  const names = terms.map((term) => p.ref(term)).join(', ');
  const from = terms.map(typeOf).join(', ');
  return p.write(
    dtype,
    shape,
    `stablehlo.concatenate ${names}, dim = ${axis} : (${from}) -> ${typeText(dtype, shape)}`,
  );
}

/** From `begin` to before `end` by `strides`, along each axis. */
export function slice(
  p: Program,
  x: Term,
  begin: readonly number[],
  end: readonly number[],
  strides: readonly number[] = begin.map(() => 1),
): Term {
  const shape = begin.map((start, i) => Math.max(0, Math.ceil((end[i]! - start) / strides[i]!)));
  if (same(shape, x.shape) && strides.every((stride) => stride === 1)) return x;
  const bounds = begin.map((start, i) => `${start}:${Math.max(start, end[i]!)}:${strides[i]!}`).join(', ');
  return p.write(
    x.dtype,
    shape,
    `stablehlo.slice ${p.ref(x)} [${bounds}] : (${typeOf(x)}) -> ${typeText(x.dtype, shape)}`,
  );
}

export function pad(p: Program, x: Term, value: Term, low: readonly number[], high: readonly number[]): Term {
  const shape = x.shape.map((size, i) => size + low[i]! + high[i]!);
  const text =
    `stablehlo.pad ${p.ref(x)}, ${p.ref(value)}, low = [${low.join(', ')}], high = [${high.join(', ')}], ` +
    `interior = [${low.map(() => 0).join(', ')}] : (${typeOf(x)}, ${typeOf(value)}) -> ${typeText(x.dtype, shape)}`;
  return p.write(x.dtype, shape, text);
}

/** 0, 1, 2 ... along an axis, in int32. */
export function iota(p: Program, shape: readonly number[], axis: number): Term {
  return p.write(TF_INT32, shape, `stablehlo.iota dim = ${axis} : ${typeText(TF_INT32, shape)}`);
}

export function reverse(p: Program, x: Term, axes: readonly number[]): Term {
  return p.write(
    x.dtype,
    x.shape,
    `stablehlo.reverse ${p.ref(x)}, dims = [${axes.join(', ')}] : ${typeOf(x)}`,
  );
}

/** `operation` as add, over axes that are dropped, or kept with size 1. */
export function reduce(
  p: Program,
  operation: string,
  x: Term,
  start: Term,
  axes: readonly number[],
  isKept = false,
): Term {
  const shape = x.shape.filter((_, axis) => !axes.includes(axis));
  const text =
    `stablehlo.reduce(${p.ref(x)} init: ${p.ref(start)}) applies stablehlo.${operation} across dimensions = [${axes.join(', ')}] : ` +
    `(${typeOf(x)}, ${typeOf(start)}) -> ${typeText(x.dtype, shape)}`;
  const result = axes.length === 0 ? x : p.write(x.dtype, shape, text);
  return isKept
    ? reshape(
        p,
        result,
        x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
      )
    : result;
}

/** A scalar of the type of another term. */
export function scalar(p: Program, like: Term | number, value: number): Term {
  const dtype = typeof like === 'number' ? like : like.dtype;
  return p.constant(dtype, [], arrayOf(dtype, [value]));
}

/** Numbers as an array of an element type. */
export function arrayOf(dtype: number, values: readonly number[]): TypedArray {
  if (dtype === TF_FLOAT) return Float32Array.from(values);
  if (dtype === TF_INT32) return Int32Array.from(values);
  if (dtype === TF_BOOL) return Uint8Array.from(values);
  if (dtype === TF_UINT32) return Uint32Array.from(values);
  if (dtype === TF_INT64) return BigInt64Array.from(values, BigInt);
  throw new NotRecorded(`constants of TensorFlow type ${dtype} are not written`);
}

/** A term of one value everywhere. */
export const full = (p: Program, like: Term, value: number, shape: readonly number[] = like.shape): Term =>
  broadcast(p, scalar(p, like, value), shape);

/** Axes as TensorFlow gives them, each from 0 on. */
export const axesOf = (p: Program, axes: Term, rank: number): number[] =>
  p.valuesOf(axes).map((axis) => (axis < 0 ? axis + rank : axis));
