import * as tf from '@tensorflow/tfjs-core';
import type { Key } from '@hypetune/ops';
import { foldIn } from '@hypetune/ops';
import type { Dataset } from './batch.js';
import { collate } from './data/collate.js';
import { HypetuneError } from './errors.js';
import { StepContext, type StepSetting } from './gradient.js';
import type { TrainerHooks } from './hooks.js';
import { clearTape } from './math/tape.js';
import { outputOf } from './model-output.js';
import type { AdamW, Rates } from './optim/adamw.js';
import { writeWeights } from './optim/write.js';
import type { Clip } from './optim/clip.js';
import type { ResolvedOptions } from './options.js';
import type { Parameter } from './parameters.js';
import type { StepRecorder } from './recorder.js';
import type { GradientResult, Gradients, LossTerms, StepReport, UpdateFunction } from './step.js';
import { isTapped } from './taps.js';

/** What an update needs beside its rows. */
export interface UpdateSetting {
  readonly options: ResolvedOptions;
  readonly hooks: TrainerHooks;
  readonly step: StepSetting;
  readonly trainable: readonly Parameter[];
  readonly optimizer: AdamW;
  readonly clip: Clip;
  readonly recorder: StepRecorder | undefined;
  readonly data: Dataset;
  /** Draws of the run. */
  readonly key: Key;
}

/** One optimizer update over some microbatches of row indices; returns its report once the numbers are there. */
export async function update(
  setting: UpdateSetting,
  index: number,
  epoch: number,
  microbatches: readonly (readonly number[])[],
): Promise<StepReport> {
  let names: string[] = [];
  const body = (): tf.Tensor1D => {
    const results = microbatches.map((rows, microbatch) =>
      microbatchGradient(setting, index, epoch, microbatch, rows),
    );
    const step = new StepContext(setting.step, {
      index,
      epoch,
      microbatch: 0,
      key: foldIn(setting.key, 'step', index),
    });
    const summed = mean(results.map(({ gradients }) => gradients));
    const { hooks, trainable, optimizer, clip } = setting;
    const gradients = hooks.afterBackward.call(summed, step);
    const rates: Rates = {
      uniform: !isTapped(hooks.afterSchedule) && trainable.every(({ rate }) => rate === 1),
      of: (parameter) => step.learningRate(parameter),
    };
    const adamw: UpdateFunction = (given) => optimizer.updates(given, trainable, index, rates);
    const updates = sameKeys('aroundUpdate', hooks.aroundUpdate.call(adamw, step)(gradients), gradients);
    const written = hooks.beforeUpdate.call(updates, step);
    writeWeights(written, trainable, rates, setting.options.optimizer);
    hooks.onUpdate.call(step);
    const terms = mean(results.map((result) => result.terms));
    names = Object.keys(terms);
    return tf.stack([...Object.values(terms), clip.norm!]) as tf.Tensor1D;
  };
  const numbers = runStep(setting.recorder, body);
  const values = await numbers.data<'float32'>();
  numbers.dispose();
  const terms = Object.fromEntries(names.map((name, place) => [name, values[place]!]));
  const loss = Object.values(terms).reduce((sum, term) => sum + term, 0);
  if (!Number.isFinite(loss))
    throw new HypetuneError(
      `trainer: the loss is ${loss} at step ${index} (${names.map((name) => `${name} ${terms[name]}`).join(', ')}); ` +
        `lower the learning rate or the plugins' strengths.`,
    );
  return {
    step: index,
    total: setting.step.total,
    epoch,
    loss,
    terms,
    learningRate: setting.step.learningRate(
      new StepContext(setting.step, { index, epoch, microbatch: 0, key: setting.key }),
    ),
    gradientNorm: values[names.length]!,
    rows: microbatches.reduce((sum, rows) => sum + rows.length, 0),
  };
}

/** Runs the work of one step in a tidy, compiled where there is a recorder; frees the tape if it throws. */
export function runStep<T extends tf.TensorContainer>(recorder: StepRecorder | undefined, body: () => T): T {
  try {
    return recorder ? recorder.record(() => tf.tidy(body)) : tf.tidy(body);
  } catch (error) {
    clearTape();
    throw error;
  }
}

function microbatchGradient(
  setting: UpdateSetting,
  index: number,
  epoch: number,
  microbatch: number,
  rows: readonly number[],
): GradientResult {
  const { options, hooks, trainable, data, recorder } = setting;
  const key = foldIn(setting.key, 'step', index, 'microbatch', microbatch);
  const batch = collate(data, rows, {
    task: options.task,
    output: outputOf(options.model),
    rows: recorder ? options.batchSize : rows.length,
    padding: options,
  });
  const step = new StepContext(setting.step, { index, epoch, microbatch, key }, batch);
  step.batch = hooks.beforeBatch.call(batch, step);
  const gradient = hooks.aroundBackward.call(step.gradientFunction(trainable), step);
  const result = gradient();
  return { ...result, gradients: sameKeys('aroundBackward', result.gradients, byName(trainable)) };
}

const byName = (parameters: readonly Parameter[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(parameters.map(({ name }) => [name, true]));

function mean(records: readonly (Gradients | LossTerms)[]): Record<string, tf.Scalar> {
  const [first] = records as readonly LossTerms[];
  if (records.length === 1) return first!;
  return Object.fromEntries(
    Object.keys(first!).map((name) => [
      name,
      tf.div(tf.addN(records.map((record) => record[name]!)), records.length),
    ]),
  );
}

/** Throws when the function that a tap returned dropped or added a parameter. */
function sameKeys<T extends object>(hook: string, after: T, before: object): T {
  const lost = Object.keys(before).filter((name) => !(name in after));
  const gained = Object.keys(after).filter((name) => !(name in before));
  if (lost.length === 0 && gained.length === 0) return after;
  throw new HypetuneError(
    `${hook}: a tap ${lost.length > 0 ? `dropped '${lost.join("', '")}'` : `added '${gained.join("', '")}'`}; ` +
      `return every parameter it was given and no other, with zeros for what must not move.`,
  );
}
