import { HypetuneError } from './errors.js';
import type { TrainerHooks } from './hooks.js';
import type { Parameter } from './parameters.js';

/** A part of a run in which the same parameters are trained. */
export interface TrainingPhase {
  /** Its first update, counted from 1. */
  readonly step: number;
  /** Updates that the run will make. */
  readonly total: number;
}

/** Says at which updates `shouldTrain` is to be asked again, of a run of `total`. */
export type PhaseBoundaries = (total: number) => readonly number[];

/** Which parameters are trained when: `shouldTrain` asked at the start and at every boundary. */
export class Phases {
  /** First updates of the phases, ascending. */
  readonly #starts: readonly number[];
  readonly #trained: readonly (readonly Parameter[])[];
  readonly #since = new Map<Parameter, number>();
  readonly #declared: readonly { readonly parameter: Parameter; readonly trainable: boolean }[];

  /** Asks about every parameter that is trainable by itself. Throws when a phase trains none. */
  constructor(
    hooks: TrainerHooks,
    parameters: readonly Parameter[],
    boundaries: readonly PhaseBoundaries[],
    total: number,
  ) {
    const later = boundaries.flatMap((of) => of(total)).filter((step) => step > 1 && step <= total);
    this.#starts = [...new Set([1, ...later.map(Math.round)])].sort((a, b) => a - b);
    this.#declared = parameters.map((parameter) => ({ parameter, trainable: parameter.trainable }));
    const candidates = parameters.filter(({ trainable }) => trainable);
    this.#trained = this.#starts.map((step) => {
      const trained = candidates.filter(
        (parameter) => hooks.shouldTrain.call(parameter, { step, total }) !== false,
      );
      if (trained.length === 0)
        throw new HypetuneError(
          `trainer: no parameter is left to train from step ${step} on; unfreeze a layer or drop a shouldTrain tap.`,
        );
      for (const parameter of trained) if (!this.#since.has(parameter)) this.#since.set(parameter, step);
      return trained;
    });
  }

  /** Every parameter that is trained at some time, in the order of the model. */
  get ever(): readonly Parameter[] {
    return this.#declared.flatMap(({ parameter }) => (this.#since.has(parameter) ? [parameter] : []));
  }

  /** The first update that trains it. */
  since(parameter: Parameter): number {
    return this.#since.get(parameter)!;
  }

  /** Marks the parameters that update `step` trains, and returns them. */
  enter(step: number): readonly Parameter[] {
    const place = this.#starts.findLastIndex((start) => start <= step);
    const trained = new Set(this.#trained[place]);
    for (const { parameter } of this.#declared) parameter.trainable = trained.has(parameter);
    return this.#trained[place]!;
  }

  /** Puts back what the model itself says. */
  release(): void {
    for (const { parameter, trainable } of this.#declared) parameter.trainable = trainable;
  }
}
