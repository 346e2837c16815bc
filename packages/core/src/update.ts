import * as tf from '@tensorflow/tfjs-core';
import type { Key } from '@hypetune/ops';
import { foldIn } from '@hypetune/ops';
import type { Accumulation } from './accumulation.js';
import type { Dataset } from './batch.js';
import { collate, weightOf } from './data/collate.js';
import { HypetuneError } from './errors.js';
import { SMALLEST_WEIGHT, StepContext, type StepPosition, type StepSetting } from './gradient.js';
import type { TrainerHooks } from './hooks.js';
import { clearTape } from './math/tape.js';
import { outputOf } from './model-output.js';
import type { AdamW, Rates } from './optim/adamw.js';
import { writeWeights } from './optim/write.js';
import type { Clip } from './optim/clip.js';
import type { ResolvedOptions } from './options.js';
import type { Parameter } from './parameters.js';
import type { StepRecorder } from './recorder.js';
import type { GradientResult, Gradients, StepReport, UpdateFunction } from './step.js';
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
  /** Where an update may have several microbatches. */
  readonly accumulation: Accumulation | undefined;
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
  const { accumulation, recorder, trainable } = setting;
  const total = microbatches.reduce((sum, rows) => sum + rows.length, 0);
  const write = (summed: Gradients, terms: readonly tf.Scalar[]): tf.Tensor1D => {
    const step = new StepContext(setting.step, {
      index,
      epoch,
      microbatch: 0,
      key: foldIn(setting.key, 'step', index),
    });
    const { hooks, optimizer, clip } = setting;
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
    return tf.stack([...terms, clip.norm!]) as tf.Tensor1D;
  };
  accumulation?.prepare(trainable);
  const shares = accumulation && sharesOf(microbatches, setting);
  const parts: Part[] = [];
  let last: tf.Tensor1D | undefined;
  try {
    microbatches.forEach((rows, microbatch) => {
      let names: string[] = [];
      const numbers = runStep(recorder, () => {
        const share = shares?.[microbatch];
        const { weights, ...result } = microbatchGradient(setting, { index, epoch, microbatch, share }, rows);
        names = Object.keys(result.terms);
        const terms = Object.values(result.terms);
        if (!accumulation) return write(result.gradients, terms);
        const weight: tf.Scalar = tf.sum(weights);
        accumulation.add(result.gradients, weight, microbatch === 0);
        return tf.stack([...terms, weight]) as tf.Tensor1D;
      });
      parts.push({ names, numbers });
    });
    last = accumulation && runStep(recorder, () => write(accumulation.gradients(trainable), []));
  } catch (error) {
    tf.dispose(parts.map(({ numbers }) => numbers));
    throw error;
  }
  const read: (readonly [terms: Record<string, number>, rest: number])[] = [];
  for (const part of parts) read.push(await readPart(part));
  const [single, norm] = read[0]!;
  const terms = last ? meanTerms(read) : single;
  const gradientNorm = last ? (await readNumbers(last))[0]! : norm;
  const loss = Object.values(terms).reduce((sum, term) => sum + term, 0);
  if (!Number.isFinite(loss))
    throw new HypetuneError(
      `trainer: the loss is ${loss} at step ${index} (${Object.entries(terms)
        .map(([name, term]) => `${name} ${term}`)
        .join(', ')}); lower the learning rate or the plugins' strengths.`,
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
    gradientNorm,
    rows: total,
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

/** Each microbatch's part of what the rows of the update weigh. */
function sharesOf(
  microbatches: readonly (readonly number[])[],
  { data, options }: UpdateSetting,
): readonly number[] {
  const output = outputOf(options.model);
  const weights = microbatches.map((rows) =>
    Math.max(weightOf(data, rows, { task: options.task, output }), SMALLEST_WEIGHT),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

function microbatchGradient(
  setting: UpdateSetting,
  position: Omit<StepPosition, 'key'>,
  rows: readonly number[],
): GradientResult & { readonly weights: tf.Tensor1D } {
  const { options, hooks, trainable, data, recorder } = setting;
  const key = foldIn(setting.key, 'step', position.index, 'microbatch', position.microbatch);
  const batch = collate(data, rows, {
    task: options.task,
    output: outputOf(options.model),
    rows: recorder && !setting.step.instrument.mixesRows ? options.batchSize : rows.length,
    padding: options,
  });
  const step = new StepContext(setting.step, { ...position, key }, batch);
  step.batch = hooks.beforeBatch.call(batch, step);
  const gradient = hooks.aroundBackward.call(step.gradientFunction(trainable), step);
  const result = gradient();
  return {
    ...result,
    gradients: sameKeys('aroundBackward', result.gradients, byName(trainable)),
    weights: step.batch.weights,
  };
}

const byName = (parameters: readonly Parameter[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(parameters.map(({ name }) => [name, true]));

/** The numbers of one microbatch: the terms of its loss, then one more. */
interface Part {
  readonly names: readonly string[];
  readonly numbers: tf.Tensor1D;
}

async function readPart({ names, numbers }: Part): Promise<readonly [Record<string, number>, number]> {
  const values = await readNumbers(numbers);
  return [Object.fromEntries(names.map((name, place) => [name, values[place]!])), values.at(-1)!];
}

/** The terms of some microbatches as means over their rows, given what those weigh together. */
function meanTerms(
  parts: readonly (readonly [Record<string, number>, weight: number])[],
): Record<string, number> {
  const total = parts.reduce((sum, [, weight]) => sum + weight, 0);
  const means: Record<string, number> = {};
  for (const [terms, weight] of parts)
    for (const [name, term] of Object.entries(terms))
      means[name] = (means[name] ?? 0) + (total > 0 ? (weight / total) * term : 0);
  return means;
}

async function readNumbers(numbers: tf.Tensor1D): Promise<Float32Array> {
  const values = await numbers.data<'float32'>();
  numbers.dispose();
  return values;
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
