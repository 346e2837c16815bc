import type { Scalar, Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import type { Key } from '@hypetune/ops';
import type { Batch } from './batch.js';
import type { ParameterInfo } from './parameters.js';
import type { Forward, PassOptions } from './pass.js';
import type { Task } from './tasks/task.js';

/** Named terms of the loss, each a scalar on the tape. `task` is core's; a plugin adds its own name, or `name/part`. */
export type LossTerms = Readonly<Record<string, Scalar>>;
/** Gradient of every trainable parameter, by name. A mask writes zeros, it never drops a key. */
export type Gradients = Readonly<Record<string, Tensor>>;
/** What the optimizer wants added to every trainable parameter, by name, weight decay not included. */
export type Updates = Readonly<Record<string, Tensor>>;
/** Makes updates of gradients; what `aroundUpdate` wraps or replaces. */
export type UpdateFunction = (gradients: Gradients) => Updates;

/** One optimizer update, seen while one of its microbatches is computed. */
export interface Step {
  /** Counts updates from 1 over the run. */
  readonly index: number;
  /** Updates that the run will make. */
  readonly total: number;
  /** Counts epochs from 0. */
  readonly epoch: number;
  /** Counts the microbatches of this update from 0. */
  readonly microbatch: number;
  readonly task: Task;
  /** Draws of this microbatch that belong to no pass: `foldIn(step.key, plugin name, ...)`. */
  readonly key: Key;
  /** The microbatch; throws in the hooks of the whole update (`afterBackward`, `beforeUpdate`). */
  readonly batch: Batch;
  /** Every parameter that this step trains, the plugins' own among them. */
  readonly parameters: readonly ParameterInfo[];
  /** Updates that have trained a parameter, this one included: 1 at its first, also when a phase unfroze it late. */
  age(parameter: ParameterInfo): number;
  /** The main pass, once it has run. */
  readonly main: Forward;
  /** Runs the model once more on this microbatch, on the tape if one is open. */
  forward(name: string, options?: PassOptions): Forward;
  /** Loss of each row against the batch's labels, `[rows]`. */
  rowLoss(logits: Tensor): Tensor1D;
  /** Mean over the rows by what they weigh (`batch.weights`): `sum(w x) / sum(w)`. */
  mean(rowValues: Tensor1D): Scalar;
  /** Sum over the rows by what they weigh, as in one large batch: with `accumulate` the microbatches' sums add up. */
  sum(rowValues: Tensor1D): Scalar;
  /** The scheduled learning rate, for a parameter after `afterSchedule`. */
  learningRate(parameter?: ParameterInfo): number;
}

export interface GradientResult {
  /** Detached terms, as `afterLoss` left them. */
  readonly terms: LossTerms;
  /** Gradient of the sum of the terms, for every trainable parameter. */
  readonly gradients: Gradients;
  /** Gradient with respect to each tensor given as `inputs`, by its key. */
  readonly inputGradients: Readonly<Record<string, Tensor>>;
}

export interface GradientOptions {
  /** Further tensors to differentiate by: ones that the plugin's own taps put into the passes (FreeLB's delta). */
  readonly inputs?: Readonly<Record<string, Tensor>>;
  /** Which draw of everything random (dropout, noise, masks) to use: another number, another gradient of the same rows. Default 0. */
  readonly draw?: number;
}

/** Runs the forward passes and the backward pass of a microbatch. The same draws at every call of one microbatch, but for `draw`. */
export type GradientFunction = (options?: GradientOptions) => GradientResult;

/** Plain numbers about a finished step. */
export interface StepReport {
  readonly step: number;
  readonly total: number;
  readonly epoch: number;
  /** Sum of the terms: the clean loss, of the first computation if a wrapper made several. */
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly learningRate: number;
  /** Global norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** Rows learned from, padding not counted. */
  readonly rows: number;
}

/** What the validation data said in the middle or at the end of an epoch. */
export interface EvaluationReport {
  readonly epoch: number;
  readonly step: number;
  /** The loss and every metric. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface EpochReport {
  readonly epoch: number;
  readonly step: number;
  /** Mean of the steps' losses. */
  readonly loss: number;
  /** Metrics on the validation data, if any was given. */
  readonly metrics: Readonly<Record<string, number>>;
}
