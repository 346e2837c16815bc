import * as tf from '@tensorflow/tfjs-core';
import { foldIn, type Key } from '@hypetune/ops';
import type { Batch } from './batch.js';
import { HypetuneError } from './errors.js';
import type { TrainerHooks } from './hooks.js';
import type { Instrument } from './instrument.js';
import { isKeepingForGradient, keepForGradient, keepingForGradient } from './keeping.js';
import { detach } from './math/tape.js';
import { outputOf } from './model-output.js';
import type { Parameter, ParameterInfo } from './parameters.js';
import type { Forward, Pass, PassOptions } from './pass.js';
import type { DropoutRates } from './options.js';
import type { GradientFunction, LossTerms, Step } from './step.js';
import { isTapped } from './taps.js';
import type { LossFunction, Task } from './tasks/task.js';

/** What every step of a run shares. */
export interface StepSetting {
  readonly instrument: Instrument;
  readonly hooks: TrainerHooks;
  readonly task: Task;
  readonly loss: LossFunction;
  readonly dropout: DropoutRates;
  readonly perturbMain: boolean;
  readonly total: number;
  /** Every parameter trained now. */
  readonly trained: () => readonly Parameter[];
  /** The first update that trains a parameter. */
  readonly since: (parameter: ParameterInfo) => number;
  readonly learningRate: (step: Step, parameter?: ParameterInfo) => number;
}

/** Where a step stands in the run. */
export interface StepPosition {
  readonly index: number;
  readonly epoch: number;
  readonly microbatch: number;
  /** The microbatch's part of what the update's rows weigh, where gradients are accumulated. */
  readonly share?: number | undefined;
  /** Draws of this microbatch. */
  readonly key: Key;
}

/** One update, seen from one of its microbatches. */
export class StepContext implements Step {
  readonly index: number;
  readonly total: number;
  readonly epoch: number;
  readonly microbatch: number;
  readonly task: Task;
  readonly #setting: StepSetting;
  #batch: Batch | undefined;
  #passes = new Map<string, Forward>();
  /** Gradient computations made for this microbatch. */
  #computations = 0;
  readonly #key: Key;
  readonly #share: number | undefined;
  /** Which of the microbatch's draws is in use. */
  #draw = 0;

  constructor(setting: StepSetting, position: StepPosition, batch?: Batch) {
    this.#setting = setting;
    this.index = position.index;
    this.total = setting.total;
    this.epoch = position.epoch;
    this.microbatch = position.microbatch;
    this.task = setting.task;
    this.#key = position.key;
    this.#share = position.share;
    this.#batch = batch;
  }

  get parameters(): readonly ParameterInfo[] {
    return this.#setting.trained();
  }

  age(parameter: ParameterInfo): number {
    return this.index - this.#setting.since(parameter) + 1;
  }

  get key(): Key {
    return this.#draw === 0 ? this.#key : foldIn(this.#key, 'draw', this.#draw);
  }

  get batch(): Batch {
    if (!this.#batch)
      throw new HypetuneError('step: batch belongs to one microbatch; it is not here in this hook.');
    return this.#batch;
  }

  set batch(batch: Batch) {
    this.#batch = batch;
  }

  get main(): Forward {
    const main = this.#passes.get('main');
    if (!main) throw new HypetuneError('step: the main pass has not run yet.');
    return main;
  }

  forward(name: string, options: PassOptions = {}): Forward {
    if (name === 'main' || this.#passes.has(name))
      throw new HypetuneError(
        `step: the pass '${name}' has run already; name further passes '${name}/part'.`,
      );
    const { kind = 'consistency', like } = options;
    const model = like === undefined ? undefined : this.#passes.get(like);
    if (like !== undefined && !model)
      throw new HypetuneError(`step: the pass '${name}' is to draw like '${like}', which has not run.`);
    const run = (): Forward =>
      this.#run(
        {
          name,
          kind,
          training: true,
          perturb: options.perturb ?? kind !== 'probe',
          key: model?.pass.key ?? foldIn(this.key, 'pass', name),
          stepKey: this.key,
          rows: this.batch.indices.length,
        },
        options.inputs,
      );
    // Outside of a gradient computation nothing else frees what taps made of the weights.
    const forward = isKeepingForGradient() ? run() : keepingForGradient(run);
    // A probe may be repeated under its name; its logits belong to the inner loop alone.
    if (kind !== 'probe') this.#passes.set(name, forward);
    return forward;
  }

  rowLoss(logits: tf.Tensor): tf.Tensor1D {
    return this.#setting.loss(logits, this.batch.labels);
  }

  mean(rowValues: tf.Tensor1D): tf.Scalar {
    return weightedMean(rowValues, this.batch.weights);
  }

  sum(rowValues: tf.Tensor1D): tf.Scalar {
    const total: tf.Scalar = tf.sum(tf.mul(rowValues, this.batch.weights));
    // The gradients of a microbatch are weighted by its share; a tensor, so that every microbatch is the same step.
    return this.#share === undefined ? total : tf.div(total, tf.scalar(this.#share));
  }

  learningRate(parameter?: ParameterInfo): number {
    return this.#setting.learningRate(this, parameter);
  }

  /** The gradient function of this microbatch with respect to `parameters`, to be run inside a tidy. */
  gradientFunction(parameters: readonly Parameter[]): GradientFunction {
    const { hooks } = this.#setting;
    return (options = {}) => {
      this.#draw = options.draw ?? 0;
      const inputs = Object.entries(options.inputs ?? {});
      const variables: tf.Tensor[] = parameters.map(({ variable }) => variable);
      let terms: LossTerms = {};
      const loss = (): tf.Tensor => {
        this.#passes = new Map();
        this.#mainPass();
        const task = { task: this.mean(this.rowLoss(this.main.logits)), ...this.#regularizers() };
        const all = isTapped(hooks.afterLoss) ? hooks.afterLoss.call(task, this) : task;
        terms = Object.fromEntries(
          Object.entries(all).map(([name, term]) => [name, keepForGradient(detach(term))]),
        );
        const total = sum(Object.values(all));
        return isTapped(hooks.beforeBackward) ? hooks.beforeBackward.call(total, this) : total;
      };
      const { grads, kept } = keepingForGradient(() => {
        const xs = [...variables, ...inputs.map(([, tensor]) => tensor)];
        const { grads } = tf.engine().gradients(loss, xs, undefined, true);
        return {
          grads,
          kept: Object.fromEntries(Object.entries(terms).map(([name, term]) => [name, tf.clone(term)])),
        };
      });
      this.#computations += 1;
      this.#draw = 0;
      const orZeros = (gradient: tf.Tensor | undefined, like: tf.Tensor): tf.Tensor =>
        gradient ?? tf.zerosLike(like);
      return {
        terms: kept,
        gradients: Object.fromEntries(
          parameters.map(({ name, variable }, place) => [name, orZeros(grads[place], variable)]),
        ),
        inputGradients: Object.fromEntries(
          inputs.map(([name, tensor], place) => [name, orZeros(grads[variables.length + place], tensor)]),
        ),
      };
    };
  }

  #mainPass(): void {
    this.#passes.set(
      'main',
      this.#run({
        name: 'main',
        kind: 'main',
        training: true,
        perturb: this.#setting.perturbMain,
        key: foldIn(this.key, 'pass', 'main'),
        stepKey: this.key,
        rows: this.batch.indices.length,
      }),
    );
  }

  #run(pass: Pass, inputs: readonly tf.Tensor[] = this.batch.inputs): Forward {
    const { instrument, dropout } = this.#setting;
    const writes = pass.kind === 'main' && this.#computations === 0;
    const output = instrument.run(pass, inputs, { dropout, writes });
    return { pass, logits: this.task.logits(output, outputOf(instrument.model)) };
  }

  /** Penalties that the model's own layers declare (kernelRegularizer and the like). */
  #regularizers(): LossTerms {
    const losses = this.#setting.instrument.penalties();
    return losses.length > 0 ? { regularizer: sum(losses) } : {};
  }
}

/** Stands in for the weight of rows none of which weighs anything. */
export const SMALLEST_WEIGHT = 1e-12;

/** `sum(w x) / sum(w)`; 0 where nothing weighs anything. */
export function weightedMean(values: tf.Tensor1D, weights: tf.Tensor1D): tf.Scalar {
  return tf.div(tf.sum(tf.mul(values, weights)), tf.maximum(tf.sum(weights), SMALLEST_WEIGHT));
}

function sum(scalars: readonly tf.Scalar[]): tf.Scalar {
  return scalars.length === 1 ? scalars[0]! : tf.addN([...scalars]);
}
