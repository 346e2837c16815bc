import * as tf from '@tensorflow/tfjs-core';
import type { Criterion } from './options.js';
import type { Parameter } from './parameters.js';
import { KeptTensors } from './stores.js';

/** The best epoch so far by a criterion, with its weights. */
export class BestWeights {
  readonly tensors: KeptTensors = new KeptTensors();
  /** Its value and when it was; undefined before the first evaluation. */
  sofar: { readonly value: number; readonly epoch: number } | undefined;
  readonly #criterion: Criterion | undefined;

  constructor(criterion: Criterion | undefined) {
    this.#criterion = criterion;
  }

  /** Keeps the weights at hand if these figures are the best. */
  offer(figures: Readonly<Record<string, number>>, epoch: number, parameters: readonly Parameter[]): void {
    if (!this.#criterion) return;
    const { name, greaterIsBetter } = this.#criterion;
    const value = figures[name]!;
    if (this.sofar && !(greaterIsBetter ? value > this.sofar.value : value < this.sofar.value)) return;
    this.sofar = { value, epoch };
    for (const parameter of parameters) this.tensors.set(parameter.name, tf.clone(parameter.variable));
  }

  /** Whether no epoch of the last `patience` ones was better. */
  isOutOf(patience: number | undefined, epoch: number): boolean {
    return patience !== undefined && this.sofar !== undefined && epoch - this.sofar.epoch >= patience;
  }

  /** Puts the best weights into the parameters; false where there are none. */
  take(parameters: readonly Parameter[]): boolean {
    for (const { name, variable } of parameters) {
      const best = this.tensors.get(name);
      if (best)
        tf.tidy(() => {
          variable.assign(tf.clone(best));
        });
    }
    return this.tensors.names().length > 0;
  }
}
