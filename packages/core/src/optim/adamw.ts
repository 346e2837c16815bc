import * as tf from '@tensorflow/tfjs-core';
import { adamwUpdate } from '@hypetune/ops';
import type { OptimizerOptions } from '../options.js';
import type { Parameter } from '../parameters.js';
import type { Gradients, Updates } from '../step.js';

/** Biases, normalization weights and other vectors are not decayed. */
export function decays(role: Parameter['role']): boolean {
  return role === 'kernel' || role === 'embedding';
}

interface Moments {
  readonly first: tf.Variable;
  readonly second: tf.Variable;
}

/**
 * AdamW (Loshchilov and Hutter, 2019) that returns updates instead of writing them:
 * `m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; update = -rate c1 m / (c2 sqrt(v) + epsilon)`.
 * With bias correction, `torch` has c1 = 1/(1 - beta1^t), c2 = 1/sqrt(1 - beta2^t); `hf` has
 * c1 = sqrt(1 - beta2^t)/(1 - beta1^t), c2 = 1.
 */
export class AdamW {
  readonly #options: Required<OptimizerOptions>;
  readonly #moments: ReadonlyMap<string, Moments>;

  constructor(options: Required<OptimizerOptions>, parameters: readonly Parameter[]) {
    this.#options = options;
    this.#moments = new Map(
      parameters.map(({ name, shape }) => [
        name,
        {
          first: tf.tidy(() => tf.variable(tf.zeros([...shape]), false)),
          second: tf.tidy(() => tf.variable(tf.zeros([...shape]), false)),
        },
      ]),
    );
  }

  /** Advances the moments by one step (`step` counts from 1) and returns what to add to each parameter, decay apart. */
  updates(gradients: Gradients, parameters: readonly Parameter[], step: number, rates: Rates): Updates {
    const { beta1, beta2, epsilon, epsilonMode, biasCorrection } = this.#options;
    const first = biasCorrection ? 1 - beta1 ** step : 1;
    const second = biasCorrection ? Math.sqrt(1 - beta2 ** step) : 1;
    const torch = epsilonMode === 'torch';
    const secondScale = tf.scalar(torch ? 1 / second : 1);
    const stepSize = rateScalars(rates, (value) => (torch ? value / first : (value * second) / first));
    return Object.fromEntries(
      parameters.map((parameter) => {
        const { name, variable } = parameter;
        const moments = this.#moments.get(name)!;
        const result = adamwUpdate(gradients[name]!, moments.first, moments.second, variable, {
          beta1,
          beta2,
          epsilon,
          secondScale,
          stepSize: stepSize(parameter),
        });
        moments.first.assign(result.firstMoment);
        moments.second.assign(result.secondMoment);
        return [name, result.update];
      }),
    );
  }

  /** Adds the updates and the decoupled decay to the weights: the one place where a step writes them. */
  write(updates: Updates, parameters: readonly Parameter[], rates: Rates): void {
    const { weightDecay, epsilonMode } = this.#options;
    const kept = rateScalars(rates, (value) => 1 - value * weightDecay);
    for (const parameter of parameters) {
      const { name, variable, role } = parameter;
      const update = updates[name]!;
      if (weightDecay === 0 || !decays(role)) variable.assign(tf.add(variable, update));
      else if (epsilonMode === 'torch') variable.assign(tf.add(tf.mul(variable, kept(parameter)), update));
      else variable.assign(tf.mul(tf.add(variable, update), kept(parameter)));
    }
  }

  /** First and second moment of each parameter, for snapshots. */
  state(): Map<string, Moments> {
    return new Map(this.#moments);
  }

  dispose(): void {
    for (const { first, second } of this.#moments.values()) {
      first.dispose();
      second.dispose();
    }
  }
}

/** Learning rate of each parameter; `uniform` when all have the same. */
export interface Rates {
  readonly uniform: boolean;
  of(parameter: Parameter): number;
}

/**
 * The scalar tensor that goes with a parameter's rate: one for all while the rates are uniform, else one each. Sharing
 * by value would make a step's structure depend on whether two rates happen to meet, and a compiled step with it.
 */
function rateScalars(rates: Rates, of: (rate: number) => number): (parameter: Parameter) => tf.Scalar {
  let shared: tf.Scalar | undefined;
  return (parameter) =>
    rates.uniform ? (shared ??= tf.scalar(of(rates.of(parameter)))) : tf.scalar(of(rates.of(parameter)));
}
