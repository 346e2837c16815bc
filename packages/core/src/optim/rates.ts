import * as tf from '@tensorflow/tfjs-core';
import type { Parameter } from '../parameters.js';

/** Learning rate of each parameter; `uniform` when all have the same. */
export interface Rates {
  readonly uniform: boolean;
  of(parameter: Parameter): number;
}

/**
 * The scalar tensor that goes with a parameter's rate: one for all while the rates are uniform, else one each. Sharing
 * by value would make a step's structure depend on whether two rates happen to meet, and a compiled step with it.
 */
export function rateScalars(rates: Rates, of: (rate: number) => number): (parameter: Parameter) => tf.Scalar {
  let shared: tf.Scalar | undefined;
  return (parameter) =>
    rates.uniform ? (shared ??= tf.scalar(of(rates.of(parameter)))) : tf.scalar(of(rates.of(parameter)));
}
