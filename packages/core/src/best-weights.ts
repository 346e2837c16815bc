import * as tf from '@tensorflow/tfjs-core';
import type { SnapshotMeta } from './checkpoint/snapshot.js';
import type { Criterion } from './options.js';
import type { Parameter } from './parameters.js';
import { KeptTensors } from './stores.js';

/** When an evaluation was the best, and its value. */
export interface BestEpoch {
  readonly value: number;
  readonly epoch: number;
}

/** The best epoch so far by a criterion, with its weights. */
export class BestWeights {
  readonly tensors: KeptTensors = new KeptTensors();
  /** Its value and when it was; undefined before the first evaluation. */
  sofar: BestEpoch | undefined;
  readonly #criterion: Criterion | undefined;
  /** The first epoch that was measured since the run began or went on. */
  #first: number | undefined;

  constructor(criterion: Criterion | undefined) {
    this.#criterion = criterion;
  }

  /** What a snapshot says of it. */
  get saved(): SnapshotMeta['best'] {
    return this.sofar && { ...this.sofar, metric: this.#criterion!.name };
  }

  /** Goes on from what a snapshot says, its weights being in `tensors`; begins anew where those were chosen by something else. */
  restore(saved: SnapshotMeta['best']): void {
    const { name } = this.#criterion ?? {};
    if (saved && name !== undefined && (saved.metric ?? name) === name)
      this.sofar = { value: saved.value, epoch: saved.epoch };
    else this.tensors.clear();
  }

  /** Keeps the weights at hand if these figures are the best; what is no number never is. */
  offer(figures: Readonly<Record<string, number>>, epoch: number, parameters: readonly Parameter[]): void {
    if (!this.#criterion) return;
    this.#first ??= epoch;
    const { name, greaterIsBetter } = this.#criterion;
    const value = figures[name]!;
    if (Number.isNaN(value)) return;
    if (this.sofar && !(greaterIsBetter ? value > this.sofar.value : value < this.sofar.value)) return;
    this.sofar = { value, epoch };
    for (const parameter of parameters) this.tensors.set(parameter.name, tf.clone(parameter.variable));
  }

  /** Whether no epoch of the last `patience` ones was better; where none was a number, since the first that was measured here. */
  isOutOf(patience: number | undefined, epoch: number): boolean {
    const since = this.sofar?.epoch ?? this.#first;
    return patience !== undefined && since !== undefined && epoch - since >= patience;
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
