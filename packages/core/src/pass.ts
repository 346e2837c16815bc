import type { Tensor } from '@tensorflow/tfjs-core';
import type { Key } from '@hypetune/ops';

/**
 * What a forward pass is for.
 * - `main`: the pass whose logits give the task loss.
 * - `consistency`: a further pass on the tape, asked for by a plugin, to compare with `main`.
 * - `probe`: an inner loop's pass (SMART's ascent); it gets no hidden noise unless it asks for that of the pass it probes.
 * - `evaluation`: nothing random.
 */
export type PassKind = 'main' | 'consistency' | 'probe' | 'evaluation';

/** One forward run of the model. Every draw made in it derives from `key`. */
export interface Pass {
  /** `main`, `evaluation`, or the name of the plugin that asked for it (`name/part` if it asks for several). */
  readonly name: string;
  readonly kind: PassKind;
  /** Dropout and weight mixing act. False in evaluation. */
  readonly training: boolean;
  /** Hidden noise acts (HyPe). */
  readonly perturb: boolean;
  /** Draws of this pass: a function of run seed, step, microbatch and pass name; equal to another pass's under `like`. */
  readonly key: Key;
  /** Draws that every pass of the microbatch shares. */
  readonly stepKey: Key;
  /** Rows of the batch. */
  readonly rows: number;
}

export interface PassOptions {
  /** Default `consistency`. */
  readonly kind?: Exclude<PassKind, 'main' | 'evaluation'>;
  /** Default true for `consistency`, false for `probe`. */
  readonly perturb?: boolean;
  /** Use the draws (dropout, Mixout, hidden noise) of that pass instead of own ones. */
  readonly like?: string;
  /** Other inputs than the batch's, in the same order and of the same number of rows. */
  readonly inputs?: readonly Tensor[];
}

/** What a forward pass gave. */
export interface Forward {
  readonly pass: Pass;
  /** `[rows, outputs]`, or `[rows, length, outputs]` for a task of tokens; before any softmax. */
  readonly logits: Tensor;
}

/** A transformer block, dense layer, recurrent layer ...: a place where hidden states enter and leave. */
export interface LayerInfo {
  /** Path through nested models, `outer/inner/name`. */
  readonly name: string;
  /** 0 is the layer nearest to the input. */
  readonly index: number;
  /** How many hidden layers the model has. */
  readonly count: number;
  /** Class name as tfjs serializes it. */
  readonly className: string;
  /** How often this layer fired before in the same pass (a shared layer fires several times). */
  readonly visit: number;
}
