import * as tf from '@tensorflow/tfjs-core';
import { adamwUpdate } from '@hypetune/ops';
import type { OptimizerSettings } from '../options.js';
import type { Parameter } from '../parameters.js';
import type { Gradients, Updates } from '../step.js';
import { rateScalars, type Rates } from './rates.js';

export type { Rates } from './rates.js';

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
  readonly #options: OptimizerSettings;
  readonly #moments: ReadonlyMap<string, Moments>;
  readonly #since: (parameter: Parameter) => number;

  /** `since`: the first update that trains a parameter, from which its own steps are counted. */
  constructor(
    options: OptimizerSettings,
    parameters: readonly Parameter[],
    since: (parameter: Parameter) => number = () => 1,
  ) {
    this.#options = options;
    this.#since = since;
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
    const torch = epsilonMode === 'torch';
    const scales = memoized((since: number) => {
      const age = step - since + 1;
      const first = biasCorrection ? 1 - beta1 ** age : 1;
      const second = biasCorrection ? Math.sqrt(1 - beta2 ** age) : 1;
      return {
        secondScale: tf.scalar(torch ? 1 / second : 1),
        stepSize: rateScalars(rates, (value) => (torch ? value / first : (value * second) / first)),
      };
    });
    return Object.fromEntries(
      parameters.map((parameter) => {
        const { name, variable } = parameter;
        const moments = this.#moments.get(name)!;
        const { secondScale, stepSize } = scales(this.#since(parameter));
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

/** `f`, computed once an argument. */
function memoized<K, V>(f: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    let value = known.get(key);
    if (value === undefined) known.set(key, (value = f(key)));
    return value;
  };
}
