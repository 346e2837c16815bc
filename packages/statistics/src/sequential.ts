import { mean, roundingOf } from './describe.js';
import { logGamma } from './distributions.js';

/** Sizes of the effect, in deviations of the differences, that the evidence is a mean over. */
const EFFECTS = [0.25, 0.5, 1, 2, 4] as const;

/**
 * Evidence for "the differences are above 0 in the mean" as an e-value: however often it is looked at while runs come in, it
 * reaches 1/alpha with a probability of at most alpha where their mean is 0 or less and they are normal. It is the likelihood
 * ratio of Student's t under an effect and under none (Pérez-Ortiz et al., 2024; scale-free), a mean over five effects.
 */
export function evidence(differences: readonly number[]): number {
  const count = differences.length;
  const size = Math.sqrt(differences.reduce((sum, value) => sum + value ** 2, 0));
  if (count === 0 || size === 0) return 1;
  const direction = (Math.sqrt(count) * mean(differences)) / size;
  // Several differences without any spread are no sample of a normal distribution: they say nothing.
  if (count > 1 && Math.abs(direction) > 1 - 1e-12) return 1;
  return mean(EFFECTS.map((effect) => likelihoodRatio(count, direction, effect)));
}

/**
 * `exp(-n d^2 / 2) E[exp(s d sqrt(n) y)]`, s drawn from the chi distribution with n degrees: t's density under the effect d over
 * that under none, as y = t / sqrt(t^2 + n - 1).
 */
function likelihoodRatio(count: number, direction: number, effect: number): number {
  const slope = effect * Math.sqrt(count) * direction;
  const exponent = (s: number): number => (count - 1) * Math.log(s) - (s * s) / 2 + s * slope;
  // The integrand falls at least as fast as a normal density on both sides of its peak.
  const peak = (slope + Math.sqrt(slope * slope + 4 * (count - 1))) / 2;
  const top = count > 1 ? exponent(peak) : Math.max(0, slope) ** 2 / 2;
  const integral = integrate((s) => Math.exp(exponent(s) - top), Math.max(0, peak - 10), peak + 10);
  const chi = (count / 2 - 1) * Math.LN2 + logGamma(count / 2);
  return Math.exp(top + Math.log(integral) - chi - (count * effect * effect) / 2);
}

/** Nodes and weights of Gauss and Legendre on [-1, 1], by Newton's method on the polynomial. */
const NODES = Array.from({ length: 64 }, (_, place) => {
  let x = Math.cos((Math.PI * (place + 0.75)) / 64.5);
  let slope = 0;
  for (let round = 0; round < 8; round += 1) {
    let [before, value] = [1, x];
    for (let k = 2; k <= 64; k += 1)
      [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
    slope = (64 * (x * value - before)) / (x * x - 1);
    x -= value / slope;
  }
  return { x, weight: 2 / ((1 - x * x) * slope * slope) };
});

function integrate(f: (x: number) => number, from: number, to: number): number {
  const [middle, half] = [(from + to) / 2, (to - from) / 2];
  return half * NODES.reduce((sum, { x, weight }) => sum + weight * f(middle + half * x), 0);
}

/** What is known of "b is better than a by at least so much". */
export interface SequentialResult {
  readonly answer: 'yes' | 'no' | 'not yet';
  /** Pairs after which the answer was certain; all of them if it is not. */
  readonly pairs: number;
  /** E-values after the last pair that counted. */
  readonly evidence: { readonly yes: number; readonly no: number };
}

/**
 * Goes through differences `b - a` in the order in which runs came in and stops where the answer is certain: yes if their mean
 * is above `atLeast`, no if it is below. Either is wrong with a probability of at most alpha (default 0.05), however often
 * one looks and whenever one stops.
 */
export function sequentialTest(
  differences: readonly number[],
  { atLeast = 0, alpha = 0.05 }: { readonly atLeast?: number; readonly alpha?: number } = {},
): SequentialResult {
  const rounding = roundingOf(differences, [atLeast]);
  const above = differences
    .map((difference) => difference - atLeast)
    .map((difference) => (Math.abs(difference) <= rounding ? 0 : difference));
  let found = { yes: 1, no: 1 };
  for (let pairs = 1; pairs <= above.length; pairs += 1) {
    const sofar = above.slice(0, pairs);
    found = { yes: evidence(sofar), no: evidence(sofar.map((difference) => -difference)) };
    if (found.yes >= 1 / alpha) return { answer: 'yes', pairs, evidence: found };
    if (found.no >= 1 / alpha) return { answer: 'no', pairs, evidence: found };
  }
  return { answer: 'not yet', pairs: above.length, evidence: found };
}
