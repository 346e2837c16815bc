import { TF_FLOAT, sizeOf } from '../../recording/data-types.js';
import { NotRecorded } from '../../recording/recorder-setting.js';
import {
  arrayOf,
  axesOf,
  broadcast,
  broadcastIn,
  concatenate,
  pad,
  reshape,
  reverse,
  scalar,
  slice,
  transpose,
} from '../notation.js';
import type { Program, Term } from '../program.js';
import type { Translation } from '../translate.js';

/** Slices of these sizes along an axis. */
function split(p: Program, x: Term, sizes: readonly number[], axis: number): Term[] {
  let start = 0;
  return sizes.map((size) => {
    const begin = x.shape.map((_, i) => (i === axis ? start : 0));
    const end = x.shape.map((length, i) => (i === axis ? start + size : length));
    start += size;
    return slice(p, x, begin, end);
  });
}

/** A shape with its one unknown size, -1, filled in. */
function complete(shape: readonly number[], size: number): number[] {
  const known = shape.reduce((product, one) => (one === -1 ? product : product * one), 1);
  return shape.map((one) => (one === -1 ? size / known : one));
}

const padded: Translation = (p, [x, paddings, value]) => {
  const pairs = p.valuesOf(paddings!);
  const [low, high] = [0, 1].map((side) => x!.shape.map((_, axis) => pairs[2 * axis + side]!)) as [
    number[],
    number[],
  ];
  return [pad(p, x!, value ?? scalar(p, x!, 0), low, high)];
};

/** Numbers from JavaScript alone. */
const counted = (p: Program, dtype: number, values: readonly number[]): Term =>
  p.constant(dtype, [values.length], arrayOf(dtype, values));

/** Everything that moves elements, or makes them of nothing. */
export const shapes: Readonly<Record<string, Translation>> = {
  BroadcastTo: (p, [x, shape]) => [broadcast(p, x!, p.valuesOf(shape!))],
  ConcatV2: (p, inputs) => {
    const terms = inputs.slice(0, -1);
    const [axis] = axesOf(p, inputs.at(-1)!, terms[0]!.shape.length);
    return [concatenate(p, terms, axis!)];
  },
  ExpandDims: (p, [x, axisTerm]) => {
    const [axis] = axesOf(p, axisTerm!, x!.shape.length + 1);
    return [reshape(p, x!, x!.shape.toSpliced(axis!, 0, 1))];
  },
  Fill: (p, [shape, value]) => [broadcast(p, value!, p.valuesOf(shape!))],
  LinSpace: (p, inputs) => {
    const [start, stop, count] = inputs.map((input) => p.valuesOf(input)[0]!) as [number, number, number];
    const step = count > 1 ? (stop - start) / (count - 1) : 0;
    return [
      counted(
        p,
        TF_FLOAT,
        Array.from({ length: count }, (_, i) => start + i * step),
      ),
    ];
  },
  Pack: (p, inputs, attribute) => {
    const rank = inputs[0]!.shape.length + 1;
    const given = (attribute('axis') as number | undefined) ?? 0;
    const axis = given < 0 ? given + rank : given;
    const terms = inputs.map((input) => reshape(p, input, input.shape.toSpliced(axis, 0, 1)));
    return [concatenate(p, terms, axis)];
  },
  Pad: padded,
  PadV2: padded,
  Range: (p, inputs) => {
    const [start, stop, step] = inputs.map((input) => p.valuesOf(input)[0]!) as [number, number, number];
    const count = Math.max(0, Math.ceil((stop - start) / step));
    return [
      counted(
        p,
        inputs[0]!.dtype,
        Array.from({ length: count }, (_, i) => start + i * step),
      ),
    ];
  },
  Reshape: (p, [x, shape]) => [reshape(p, x!, complete(p.valuesOf(shape!), sizeOf(x!.shape)))],
  ReverseV2: (p, [x, axes]) => [reverse(p, x!, axesOf(p, axes!, x!.shape.length))],
  Slice: (p, [x, beginTerm, sizeTerm]) => {
    const [begin, size] = [p.valuesOf(beginTerm!), p.valuesOf(sizeTerm!)];
    const end = begin.map((start, i) => (size[i] === -1 ? x!.shape[i]! : start + size[i]!));
    return [slice(p, x!, begin, end)];
  },
  Split: (p, [axisTerm, x], attribute) => {
    const [axis] = axesOf(p, axisTerm!, x!.shape.length);
    const count = attribute('num_split') as number;
    return split(p, x!, Array<number>(count).fill(x!.shape[axis!]! / count), axis!);
  },
  SplitV: (p, [x, sizes, axisTerm]) => {
    const [axis] = axesOf(p, axisTerm!, x!.shape.length);
    return split(p, x!, p.valuesOf(sizes!), axis!);
  },
  StridedSlice: (p, inputs, attribute) => {
    const [x] = inputs;
    const mask = (name: string): number => (attribute(name) as number | undefined) ?? 0;
    if (mask('ellipsis_mask') !== 0 || mask('new_axis_mask') !== 0)
      throw new NotRecorded('StridedSlice with an ellipsis or new axes is not translated for XLA');
    const [begin, end, strides] = inputs.slice(1).map((input) => p.valuesOf(input)) as [
      number[],
      number[],
      number[],
    ];
    const has = (name: string, axis: number): boolean => ((mask(name) >> axis) & 1) === 1;
    const flipped: number[] = [];
    const bounds = x!.shape.map((size, axis) => {
      const stride = strides[axis] ?? 1;
      const isBackward = stride < 0;
      const clamp = (at: number): number => {
        const from = at < 0 ? at + size : at;
        return isBackward ? Math.min(Math.max(from, -1), size - 1) : Math.min(Math.max(from, 0), size);
      };
      const isFree = axis >= begin.length;
      let first = isFree || has('begin_mask', axis) ? (isBackward ? size - 1 : 0) : clamp(begin[axis]!);
      let past = isFree || has('end_mask', axis) ? (isBackward ? -1 : size) : clamp(end[axis]!);
      if (has('shrink_axis_mask', axis)) past = first + 1;
      else if (isBackward) {
        flipped.push(axis);
        [first, past] = [size - 1 - first, size - 1 - past];
      }
      return {
        first,
        past: Math.max(first, past),
        stride: has('shrink_axis_mask', axis) ? 1 : Math.abs(stride),
      };
    });
    const from = flipped.length === 0 ? x! : reverse(p, x!, flipped);
    const cut = slice(
      p,
      from,
      bounds.map(({ first }) => first),
      bounds.map(({ past }) => past),
      bounds.map(({ stride }) => stride),
    );
    return [
      reshape(
        p,
        cut,
        cut.shape.filter((_, axis) => !has('shrink_axis_mask', axis)),
      ),
    ];
  },
  Tile: (p, [x, timesTerm]) => {
    const times = p.valuesOf(timesTerm!);
    const wide = x!.shape.flatMap((size, i) => [times[i]!, size]);
    const repeated = broadcastIn(
      p,
      x!,
      wide,
      x!.shape.map((_, i) => 2 * i + 1),
    );
    return [
      reshape(
        p,
        repeated,
        x!.shape.map((size, i) => size * times[i]!),
      ),
    ];
  },
  Transpose: (p, [x, order]) => [transpose(p, x!, p.valuesOf(order!))],
  Unpack: (p, [x], attribute) => {
    const axis = (attribute('axis') as number | undefined) ?? 0;
    const shape = x!.shape.toSpliced(axis, 1);
    return split(p, x!, Array<number>(x!.shape[axis]!).fill(1), axis).map((part) => reshape(p, part, shape));
  },
};
