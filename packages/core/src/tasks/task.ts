import type { Tensor, Tensor1D } from '@tensorflow/tfjs-core';
import { z } from 'zod';
import type { Dataset } from '../batch.js';
import { HypetuneError } from '../errors.js';
import type { Metric } from '../metrics/metric.js';

/** What a row is labelled with: a class or a value, or one number for each target, label or token of the row. */
export type Label = number | readonly number[];

/**
 * What a label is. `class`: the index of one class. `values`: a number, or one a target. `indicators`: a number from 0 to 1
 * for each label. `tokens`: the index of a class for each token.
 */
export type LabelKind = 'class' | 'values' | 'indicators' | 'tokens';

/** The label of a position that counts nowhere: not in a loss, not in a metric. */
export const IGNORED = -100;

/** What a model ends in. */
export interface ModelOutput {
  /** Of the model's one output; null where it is free. */
  readonly shape: readonly (number | null)[];
  /** Size of the last dimension. */
  readonly units: number;
  /** What is done to the outputs at last; undefined for logits, `mixed` where parts are joined that end in different ways, or parts of softmaxes. */
  readonly ending: 'softmax' | 'sigmoid' | 'mixed' | undefined;
}

/** The batch that labels are collated for. */
export interface LabelBatch {
  /** What `Task.outputs` gave. */
  readonly outputs: number;
  /** Positions that each row is padded to, where the model has an output a position. */
  readonly length: number | undefined;
  /** Number of a row in the data set, for errors. */
  readonly row: (place: number) => number;
}

/** The labels of a batch as plain numbers. */
export interface CollatedLabels {
  /** `[rows, ...]`, row by row. */
  readonly values: Float32Array;
  readonly shape: readonly number[];
  /** What each row weighs in every mean. */
  readonly weights: readonly number[];
}

/** What a model says of one row. */
export interface Prediction {
  /** In the form of a label. */
  readonly value: Label;
  /** In the layout of the logits: a probability for each class or label (class by class, token by token), or the values. */
  readonly scores: Float32Array;
  readonly logits: Float32Array;
}

/** A prediction in words: what is predicted, and the number of each class, label or target where there is one a row. */
export interface Statement {
  readonly said: Readonly<Record<string, string | number | readonly string[]>>;
  /** By name, in the order of the outputs. */
  readonly probabilities: readonly (readonly [name: string, probability: number])[];
}

/** Loss of each row, `[rows]`, from logits and labels; not yet weighted. */
export type LossFunction = Task['loss'];

/** A distance of two distributions given as logits `[..., choices]`, over the last axis. */
export type DistributionDistance = (p: Tensor, q: Tensor) => Tensor;

/**
 * What a model is trained for. The loss, the collation, the metrics and what is said of a prediction are its own; nothing
 * else asks which task it is. Its members use no `this`: `{ ...regression(), name: 'mine', loss }` is a task too.
 */
export interface Task {
  readonly name: string;
  readonly kind: LabelKind;
  /** Names of the classes, labels or targets in the order of the outputs, where they are known. */
  readonly labels?: readonly string[] | undefined;
  /** What `problem_type` in the config.json of `transformers` calls it; absent where that has no word for it. */
  readonly problemType?: 'single_label_classification' | 'multi_label_classification' | 'regression';
  /** What is measured where nothing is asked for. */
  readonly metrics: readonly Metric[];
  /** How many classes, labels or targets such a model has. Throws where the model does not suit the task. */
  readonly outputs: (model: ModelOutput) => number;
  /** The model's output as logits, `[rows, outputs]` or `[rows, length, outputs]`. */
  readonly logits: (output: Tensor, model: ModelOutput) => Tensor;
  /** The labels of some rows as one batch. Throws on a label that is none. */
  readonly collate: (labels: readonly Label[], batch: LabelBatch) => CollatedLabels;
  /** Loss of each row, `[rows]`, from logits and collated labels; mixed labels are allowed. */
  readonly loss: (logits: Tensor, labels: Tensor) => Tensor1D;
  /**
   * How far two passes' logits lie apart, by row. Where a row predicts distributions, it measures each by `between`
   * (default: Kullback-Leibler both ways), adds up those of its labels and averages those of its tokens; where it predicts
   * values, it is their mean squared difference.
   * Absent where none is defined: methods that compare passes then refuse the task.
   */
  readonly divergence?: (p: Tensor, q: Tensor, labels: Tensor, between?: DistributionDistance) => Tensor1D;
  /** What the logits of one row say. */
  readonly predict: (logits: Float32Array, outputs: number) => Prediction;
  /** The same in words. */
  readonly say: (prediction: Prediction) => Statement;
  /** The members that take something from the training rows (balanced class weights), in the place of these; absent where none does. */
  readonly bind?: (data: Dataset, outputs: number) => Partial<Task>;
  /** The options that act in `loss` alone, and the loss that has them: with another one they would do nothing, so that it is refused. */
  readonly lossOptions?: { readonly of: LossFunction; readonly names: readonly string[] };
}

/** How far two predictions of a task lie apart. Throws, in the name of the method that needs it, where the task does not say. */
export function divergenceOf(task: Task, method: string): NonNullable<Task['divergence']> {
  if (task.divergence) return task.divergence;
  throw new HypetuneError(
    `${method}: compares two predictions, and the task '${task.name}' has no divergence; give it one, or leave ${method} out.`,
  );
}

/** Throws where options of the task act in a loss that is not the one taken. */
export function checkLoss({ lossOptions, loss }: Task, own: LossFunction | undefined): void {
  if (!lossOptions || lossOptions.of === (own ?? loss)) return;
  const [names, verb] = [lossOptions.names.join(' and '), lossOptions.names.length > 1 ? 'act' : 'acts'];
  throw new HypetuneError(
    `trainer: ${names} of the task ${verb} in its own loss, which ${own ? '`loss`' : 'another one'} replaces; ` +
      `leave ${names} out and let that loss do it.`,
  );
}

/** The option of a task that names its outputs. */
export const labelNames = z
  .array(z.string())
  .readonly()
  .optional()
  .describe('names of the classes or labels in the order of the outputs');

/** The name of an output; `LABEL_0`, `LABEL_1`, ... as `transformers` has it where none is given. */
export function labelName(labels: readonly string[] | undefined, index: number): string {
  return labels?.[index] ?? `LABEL_${index}`;
}

/** Throws unless there are as many names as outputs. */
export function checkOutputs(task: string, labels: readonly string[] | undefined, outputs: number): number {
  if (labels === undefined || labels.length === outputs) return outputs;
  throw new HypetuneError(
    `${task}: the task names ${labels.length} outputs (${labels.join(', ')}) but the model has ${outputs}.`,
  );
}
