import { TF_FLOAT, TF_INT32, sizeOf } from '../../recording/data-types.js';
import { NotRecorded } from '../../recording/recorder-setting.js';
import {
  axesOf,
  binary,
  broadcast,
  compare,
  full,
  iota,
  reduce,
  scalar,
  select,
  unary,
} from '../notation.js';
import { typeOf, typeText, type Program, type Term } from '../program.js';
import type { Translation } from '../translate.js';

const SMALLEST_INT = -(2 ** 31);
const LARGEST_INT = 2 ** 31 - 1;

/** What a reduction starts with. */
function startOf(operation: string, dtype: number): number {
  if (operation === 'add' || operation === 'or') return 0;
  if (operation === 'multiply' || operation === 'and') return 1;
  if (dtype === TF_FLOAT) return operation === 'maximum' ? -Infinity : Infinity;
  if (dtype === TF_INT32) return operation === 'maximum' ? SMALLEST_INT : LARGEST_INT;
  throw new NotRecorded(`the ${operation} of elements of TensorFlow type ${dtype} is not translated for XLA`);
}

const over = (p: Program, operation: string, x: Term, axes: readonly number[], isKept = false): Term =>
  reduce(p, operation, x, scalar(p, x, startOf(operation, x.dtype)), axes, isKept);

const reduction =
  (operation: string): Translation =>
  (p, [x, axes], attribute) => [
    over(p, operation, x!, axesOf(p, axes!, x!.shape.length), attribute('keep_dims') === true),
  ];

const last = (x: Term): number[] => [x.shape.length - 1];

/** x - its largest along the last axis, and the exponential of that. */
function exponentials(p: Program, x: Term): { shifted: Term; raised: Term } {
  const shifted = binary(p, 'subtract', x, over(p, 'maximum', x, last(x), true));
  return { shifted, raised: unary(p, 'exponential', shifted) };
}

/** The first place along an axis of the largest, or smallest, number. */
const extremePlace =
  (operation: string): Translation =>
  (p, [x, axisTerm]) => {
    const [axis] = axesOf(p, axisTerm!, x!.shape.length);
    const extreme = over(p, operation, x!, [axis!], true);
    const isExtreme = compare(p, 'EQ', x!, broadcast(p, extreme, x!.shape));
    const places = iota(p, x!.shape, axis!);
    const found = select(p, isExtreme, places, full(p, places, x!.shape[axis!]! - 1));
    return [over(p, 'minimum', found, [axis!])];
  };

/** Sums, or products, of all elements up to each along an axis. */
const scan =
  (operation: string): Translation =>
  (p, [x, axisTerm], attribute) => {
    const [axis] = axesOf(p, axisTerm!, x!.shape.length);
    const size = x!.shape[axis!]!;
    if (sizeOf(x!.shape) === 0) return [x!];
    const isBackward = attribute('reverse') === true;
    const isExclusive = attribute('exclusive') === true;
    const start = scalar(p, x!, startOf(operation, x!.dtype));
    const before = isExclusive ? size : size - 1;
    const after = isExclusive ? -1 : 0;
    const window = x!.shape.map((_, i) => (i === axis ? size : 1));
    const padding = x!.shape.map((_, i) =>
      i !== axis ? [0, 0] : isBackward ? [after, before] : [before, after],
    );
    const element = typeText(x!.dtype, []);
    const ones = x!.shape.map(() => 1).join(', ');
    return [
      p.write(
        x!.dtype,
        x!.shape,
        `"stablehlo.reduce_window"(${p.ref(x!)}, ${p.ref(start)}) <{window_dimensions = array<i64: ${window.join(', ')}>, ` +
          `window_strides = array<i64: ${ones}>, ` +
          `padding = dense<[${padding.map((pair) => `[${pair.join(', ')}]`).join(', ')}]> : tensor<${window.length}x2xi64>}> ({` +
          `^bb0(%a: ${element}, %b: ${element}): %c = stablehlo.${operation} %a, %b : ${element} ` +
          `stablehlo.return %c : ${element} }) : (${typeOf(x!)}, ${element}) -> ${typeOf(x!)}`,
      ),
    ];
  };

/** Over axes. */
export const reductions: Readonly<Record<string, Translation>> = {
  All: reduction('and'),
  Any: reduction('or'),
  ArgMax: extremePlace('maximum'),
  ArgMin: extremePlace('minimum'),
  Cumprod: scan('multiply'),
  Cumsum: scan('add'),
  LogSoftmax: (p, [x]) => {
    const { shifted, raised } = exponentials(p, x!);
    return [binary(p, 'subtract', shifted, unary(p, 'log', over(p, 'add', raised, last(x!), true)))];
  },
  Max: reduction('maximum'),
  Mean: (p, [x, axesTerm], attribute) => {
    const axes = axesOf(p, axesTerm!, x!.shape.length);
    const sum = over(p, 'add', x!, axes, attribute('keep_dims') === true);
    return [binary(p, 'divide', sum, scalar(p, x!, sizeOf(axes.map((axis) => x!.shape[axis]!))))];
  },
  Min: reduction('minimum'),
  Prod: reduction('multiply'),
  Softmax: (p, [x]) => {
    const { raised } = exponentials(p, x!);
    return [binary(p, 'divide', raised, over(p, 'add', raised, last(x!), true))];
  },
  Sum: reduction('add'),
};
