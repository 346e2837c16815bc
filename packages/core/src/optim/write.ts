import * as tf from '@tensorflow/tfjs-core';
import type { OptimizerSettings } from '../options.js';
import type { Parameter } from '../parameters.js';
import type { Updates } from '../step.js';
import { rateScalars, type Rates } from './rates.js';

/** Adds the updates and the decoupled decay to the weights, within their constraints: the one place where a step writes them. */
export function writeWeights(
  updates: Updates,
  parameters: readonly Parameter[],
  rates: Rates,
  { weightDecay, epsilonMode }: Pick<OptimizerSettings, 'weightDecay' | 'epsilonMode'>,
): void {
  const kept = rateScalars(rates, (value) => 1 - value * weightDecay);
  for (const parameter of parameters) {
    const { name, variable, decays, constraint } = parameter;
    const update = updates[name]!;
    let value: tf.Tensor;
    if (weightDecay === 0 || !decays) value = tf.add(variable, update);
    else if (epsilonMode === 'torch') value = tf.add(tf.mul(variable, kept(parameter)), update);
    else value = tf.mul(tf.add(variable, update), kept(parameter));
    variable.assign(constraint ? constraint(value) : value);
  }
}
