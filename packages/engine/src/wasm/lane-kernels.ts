import * as asm from './assembler.js';
import type { Code } from './assembler.js';
import type { LaneKernel, Lanes } from './lanes.js';

const {
  addVector: add,
  subtractVector: subtract,
  multiplyVector: multiply,
  divideVector: divide,
  splat,
} = asm;

/** c[0] + x (c[1] + x (c[2] + ...)). */
const polynomial = (x: Code, coefficients: readonly number[]): Code =>
  coefficients
    .slice(0, -1)
    .reduceRight<Code>(
      (sum, coefficient) => add(multiply(sum, x), splat(coefficient)),
      splat(coefficients.at(-1)!),
    );

/** ln 2 in two parts, the first short enough that a multiple of it is exact. */
const ln2High = 0.693359375;
const ln2Low = Math.LN2 - ln2High;

/**
 * e^x, zero for x below -87 and e^88 above 88: 2^n times the Taylor series of e^(x - n ln 2), error below 2e-7 of the result. A chance that is
 * masked is zero, not nearly zero: its gradient has no sign.
 */
function exponential(lanes: Lanes, given: Code): Code {
  const x = lanes.keep(given);
  const held = lanes.keep(asm.minimumVector(asm.maximumVector(x, splat(-87)), splat(88)));
  const n = lanes.keep(asm.nearestVector(multiply(held, splat(Math.LOG2E))));
  const rest = lanes.keep(subtract(subtract(held, multiply(n, splat(ln2High))), multiply(n, splat(ln2Low))));
  const series = polynomial(rest, [1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040]);
  // Adding n to the exponent's bits multiplies by 2^n.
  const power = asm.addIntegers(series, asm.shiftLeft(asm.truncateVector(n), 23));
  return lanes.keep(asm.unlessBelow(power, x, splat(-87)));
}

/** erf(x / sqrt(2)) by Abramowitz and Stegun 7.1.26, which tfjs's own kernels use (error below 1.5e-7); `tail` is e^(-x^2 / 2). */
function normalErf(lanes: Lanes, x: Code, tail: Code): Code {
  const scaled = multiply(asm.absoluteVector(x), splat(0.3275911 * Math.SQRT1_2));
  const t = lanes.keep(divide(splat(1), add(splat(1), scaled)));
  const series = polynomial(t, [0, 0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429]);
  const size = lanes.keep(asm.maximumVector(subtract(splat(1), multiply(series, tail)), splat(0)));
  return asm.withSignOf(size, x);
}

const minusHalfSquare = (x: Code): Code => multiply(multiply(x, x), splat(-0.5));

/** The kernels over elements: see kernels.ts of @hypetune/ops for what they compute. */
export const laneKernels: Record<'clip' | 'exponential' | 'gelu' | 'geluGradient' | 'adamw', LaneKernel> = {
  // Numbers lowest, highest.
  clip: {
    inputs: 1,
    numbers: 2,
    outputs: (lanes) => [
      asm.minimumVector(asm.maximumVector(lanes.input(0), lanes.number(0)), lanes.number(1)),
    ],
  },
  exponential: {
    inputs: 1,
    numbers: 0,
    outputs: (lanes) => [exponential(lanes, lanes.input(0))],
  },
  gelu: {
    inputs: 1,
    numbers: 0,
    outputs: (lanes) => {
      const x = lanes.keep(lanes.input(0));
      const erf = normalErf(lanes, x, exponential(lanes, minusHalfSquare(x)));
      return [multiply(multiply(x, splat(0.5)), add(splat(1), erf))];
    },
  },
  geluGradient: {
    inputs: 2,
    numbers: 0,
    outputs: (lanes) => {
      const x = lanes.keep(lanes.input(1));
      const tail = exponential(lanes, minusHalfSquare(x));
      const cumulative = multiply(splat(0.5), add(splat(1), normalErf(lanes, x, tail)));
      const density = multiply(tail, splat(1 / Math.sqrt(2 * Math.PI)));
      return [multiply(lanes.input(0), add(cumulative, multiply(x, density)))];
    },
  },
  // Inputs gradient, m, v, parameter; numbers beta1, 1 - beta1, beta2, 1 - beta2, epsilon, stepSize, secondScale, decay.
  adamw: {
    inputs: 4,
    numbers: 8,
    outputs: (lanes) => {
      const gradient = lanes.keep(lanes.input(0));
      const number = (index: number): Code => lanes.number(index);
      const m = lanes.keep(add(multiply(lanes.input(1), number(0)), multiply(gradient, number(1))));
      const square = multiply(multiply(gradient, gradient), number(3));
      const v = lanes.keep(add(multiply(lanes.input(2), number(2)), square));
      const root = add(multiply(asm.squareRootVector(v), number(6)), number(4));
      const step = divide(multiply(m, number(5)), root);
      const update = subtract(subtract(splat(0), step), multiply(lanes.input(3), number(7)));
      return [update, m, v];
    },
  },
};
