import { TF_BOOL, TF_FLOAT, TF_UINT32 } from '../../recording/data-types.js';
import { NotRecorded } from '../../recording/recorder-setting.js';
import { binary, broadcast, compare, convert, full, scalar, select, unary } from '../notation.js';
import { typeOf, typeText, type Program, type Term } from '../program.js';
import type { Translation } from '../translate.js';

/** TensorFlow's name of an operation of one input, and StableHLO's. */
const unaryNames: Readonly<Record<string, string>> = {
  Abs: 'abs',
  Ceil: 'ceil',
  Cos: 'cosine',
  Exp: 'exponential',
  Expm1: 'exponential_minus_one',
  Floor: 'floor',
  Log: 'log',
  Log1p: 'log_plus_one',
  LogicalNot: 'not',
  Neg: 'negate',
  Round: 'round_nearest_even',
  Rsqrt: 'rsqrt',
  Sigmoid: 'logistic',
  Sign: 'sign',
  Sin: 'sine',
  Sqrt: 'sqrt',
  Tan: 'tan',
  Tanh: 'tanh',
};

/** The same of CHLO, which plugins turn into StableHLO. */
const chloNames: Readonly<Record<string, string>> = {
  Acos: 'acos',
  Acosh: 'acosh',
  Asin: 'asin',
  Asinh: 'asinh',
  Atanh: 'atanh',
  Cosh: 'cosh',
  Erf: 'erf',
  Sinh: 'sinh',
};

const binaryNames: Readonly<Record<string, string>> = {
  Add: 'add',
  AddV2: 'add',
  Atan2: 'atan2',
  BitwiseAnd: 'and',
  BitwiseOr: 'or',
  BitwiseXor: 'xor',
  Div: 'divide',
  LeftShift: 'shift_left',
  LogicalAnd: 'and',
  LogicalOr: 'or',
  Maximum: 'maximum',
  Minimum: 'minimum',
  Mul: 'multiply',
  Pow: 'power',
  RealDiv: 'divide',
  Sub: 'subtract',
};

const comparisons: Readonly<Record<string, string>> = {
  Equal: 'EQ',
  Greater: 'GT',
  GreaterEqual: 'GE',
  Less: 'LT',
  LessEqual: 'LE',
  NotEqual: 'NE',
};

const mapped = (
  names: Readonly<Record<string, string>>,
  write: (p: Program, name: string, inputs: readonly Term[]) => Term,
): Record<string, Translation> =>
  Object.fromEntries(
    Object.entries(names).map(([name, own]): [string, Translation] => [
      name,
      (p, inputs) => [write(p, own, inputs)],
    ]),
  );

/** Of floats. */
const one =
  (write: (p: Program, x: Term) => Term): Translation =>
  (p, [x]) => [write(p, x!)];

const two =
  (write: (p: Program, a: Term, b: Term) => Term): Translation =>
  (p, [a, b]) => [write(p, a!, b!)];

const positive = (p: Program, x: Term): Term => compare(p, 'GT', x, full(p, x, 0));

/** scale (exp(x) - 1) below 0, factor x above. */
function exponentialUnit(p: Program, x: Term, scale: number, factor: number): Term {
  const below = binary(p, 'multiply', unary(p, 'exponential_minus_one', x), scalar(p, x, scale));
  return select(p, positive(p, x), binary(p, 'multiply', x, scalar(p, x, factor)), below);
}

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

/** The largest whole number that is not above a / b. */
function floorDivide(p: Program, a: Term, b: Term): Term {
  if (a.dtype === TF_FLOAT) return unary(p, 'floor', binary(p, 'divide', a, b));
  const quotient = binary(p, 'divide', a, b);
  const rest = binary(p, 'subtract', a, binary(p, 'multiply', quotient, b));
  const zero = full(p, rest, 0);
  const isNegative = (x: Term): Term => compare(p, 'LT', x, broadcast(p, scalar(p, x, 0), x.shape));
  const unlike = compare(p, 'NE', isNegative(rest), broadcast(p, isNegative(b), rest.shape));
  const isBelow = binary(p, 'and', compare(p, 'NE', rest, zero), unlike);
  return select(p, isBelow, binary(p, 'subtract', quotient, scalar(p, quotient, 1)), quotient);
}

/** What is left of a / b, with the sign of b. */
function floorModulo(p: Program, a: Term, b: Term): Term {
  const rest = binary(p, 'remainder', a, b);
  const zero = full(p, rest, 0);
  const divisor = broadcast(p, b, rest.shape);
  const unlike = compare(p, 'NE', compare(p, 'LT', rest, zero), compare(p, 'LT', divisor, zero));
  const isOff = binary(p, 'and', compare(p, 'NE', rest, zero), unlike);
  return select(p, isOff, binary(p, 'add', rest, divisor), rest);
}

function isFinite(p: Program, x: Term): Term {
  return p.write(
    TF_BOOL,
    x.shape,
    `stablehlo.is_finite ${p.ref(x)} : (${typeOf(x)}) -> ${typeText(TF_BOOL, x.shape)}`,
  );
}

/** Element by element. */
export const elementwise: Readonly<Record<string, Translation>> = {
  ...mapped(unaryNames, (p, name, [x]) => unary(p, name, x!)),
  ...mapped(chloNames, (p, name, [x]) => unary(p, name, x!, 'chlo')),
  ...mapped(binaryNames, (p, name, [a, b]) => binary(p, name, a!, b!)),
  ...mapped(comparisons, (p, name, [a, b]) => compare(p, name, a!, b!)),
  AddN: (p, inputs) => [inputs.reduce((sum, input) => binary(p, 'add', sum, input))],
  Atan: one((p, x) => binary(p, 'atan2', x, scalar(p, x, 1))),
  Bitcast: (p, [x], attribute) => {
    const dtype = attribute('type') as number;
    const text = `stablehlo.bitcast_convert ${p.ref(x!)} : (${typeOf(x!)}) -> ${typeText(dtype, x!.shape)}`;
    return [x!.dtype === dtype ? x! : p.write(dtype, x!.shape, text)];
  },
  Cast: (p, [x], attribute) => [convert(p, x!, attribute('DstT') as number)],
  DivNoNan: two((p, a, b) => {
    const quotient = binary(p, 'divide', a, b);
    const divisor = broadcast(p, b, quotient.shape);
    return select(p, compare(p, 'EQ', divisor, full(p, divisor, 0)), full(p, quotient, 0), quotient);
  }),
  Elu: one((p, x) => exponentialUnit(p, x, 1, 1)),
  EluGrad: two((p, dy, y) => {
    const below = binary(p, 'multiply', dy, binary(p, 'add', y, scalar(p, y, 1)));
    return select(p, positive(p, y), dy, below);
  }),
  FloorDiv: two(floorDivide),
  FloorMod: two(floorModulo),
  Identity: (_, [x]) => [x!],
  IsFinite: one(isFinite),
  IsInf: one((p, x) => compare(p, 'EQ', unary(p, 'abs', x), full(p, x, Infinity))),
  IsNan: one((p, x) => compare(p, 'NE', x, x)),
  LeakyRelu: (p, [x], attribute) => {
    const below = binary(p, 'multiply', x!, scalar(p, x!, attribute('alpha') as number));
    return [select(p, positive(p, x!), x!, below)];
  },
  OnesLike: one((p, x) => full(p, x, 1)),
  Reciprocal: one((p, x) => binary(p, 'divide', scalar(p, x, 1), x)),
  Relu: one((p, x) => binary(p, 'maximum', x, scalar(p, x, 0))),
  Relu6: one((p, x) => binary(p, 'minimum', binary(p, 'maximum', x, scalar(p, x, 0)), scalar(p, x, 6))),
  // Of whole numbers without a sign zeros come in from the left, else the sign.
  RightShift: two((p, a, b) =>
    binary(p, a.dtype === TF_UINT32 ? 'shift_right_logical' : 'shift_right_arithmetic', a, b),
  ),
  Select: (p, [condition, yes, no]) => {
    if (condition!.shape.length === 1 && yes!.shape.length > 1)
      throw new NotRecorded('Select by rows is not translated for XLA');
    return [select(p, condition!, yes!, no!)];
  },
  SelectV2: (p, [condition, yes, no]) => [select(p, condition!, yes!, no!)],
  Selu: one((p, x) => exponentialUnit(p, x, SELU_SCALE * SELU_ALPHA, SELU_SCALE)),
  Softplus: one((p, x) => {
    const tail = unary(p, 'exponential', unary(p, 'negate', unary(p, 'abs', x)));
    return binary(p, 'add', binary(p, 'maximum', x, scalar(p, x, 0)), unary(p, 'log_plus_one', tail));
  }),
  Square: one((p, x) => binary(p, 'multiply', x, x)),
  SquaredDifference: two((p, a, b) => {
    const difference = binary(p, 'subtract', a, b);
    return binary(p, 'multiply', difference, difference);
  }),
  // One alone would be a copy that the compiler has no use for; several hold back what comes after them.
  XlaOptimizationBarrier: (p, inputs) => {
    if (inputs.length === 1) return [...inputs];
    const names = inputs.map((input) => p.ref(input)).join(', ');
    return p.writeAll(inputs, `stablehlo.optimization_barrier ${names} : ${inputs.map(typeOf).join(', ')}`);
  },
  ZerosLike: one((p, x) => full(p, x, 0)),
};
