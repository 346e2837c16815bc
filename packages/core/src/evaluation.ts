import * as tf from '@tensorflow/tfjs-core';
import { seedKey } from '@hypetune/ops';
import type { Dataset } from './batch.js';
import { chunks } from './data/order.js';
import { collate, collateInputs } from './data/collate.js';
import { chooseLengths, paddedLength, type Padding } from './data/padding.js';
import { HypetuneError } from './errors.js';
import type { Instrument } from './instrument.js';
import { keepingForGradient } from './keeping.js';
import { type ClassReport, classReport, measure } from './metrics/index.js';
import { outputOf } from './model-output.js';
import type { ResolvedOptions } from './options.js';
import type { Pass } from './pass.js';
import type { StepRecorder } from './recorder.js';
import { rowLossOf } from './tasks/row-loss.js';
import type { Prediction } from './tasks/task.js';

/** Loss and metrics over a data set. */
export interface Evaluation {
  /** Mean over the rows by what they weigh, no plugin's term in it. */
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Figures class by class; absent for values. */
  readonly report?: ClassReport | undefined;
  /** What the model says of each row, in the data set's order. */
  readonly predictions: readonly Prediction[];
  /** The task loss of each row. */
  readonly losses: readonly number[];
}

/** How a data set is run through a model. */
export interface EvaluationSetting {
  readonly instrument: Instrument;
  readonly options: ResolvedOptions;
  readonly recorder: StepRecorder | undefined;
  /** Updates made so far, for errors. */
  readonly step?: number | undefined;
}

const KEY = seedKey(0);
const PASS: Omit<Pass, 'rows'> = {
  name: 'evaluation',
  kind: 'evaluation',
  training: false,
  perturb: false,
  key: KEY,
  stepKey: KEY,
};

/** Rows that are computed together. */
interface RowBatch {
  readonly rows: readonly number[];
  /** What they are filled up to. */
  readonly size: number;
  readonly padding: Padding;
  /** Where steps are compiled at all. */
  readonly compiled: boolean;
}

/** Brings a batch onto the engine and returns what makes `[size, ...]` numbers of it. */
type Forward = (batch: RowBatch, run: (inputs: readonly tf.Tensor[]) => tf.Tensor) => () => tf.Tensor;

/** A batch that is being computed. */
interface Computed {
  readonly rows: readonly number[];
  readonly result: tf.Tensor;
}

/** Batches under way: two that an engine computes side by side, and one that is made ready meanwhile. */
const AHEAD = 3;

/**
 * Batches of a length from which on compiling takes less time than it spares: MiniLM-L6 needs 12 to 40 of 32 rows, half where its
 * programs are kept.
 */
const WORTH_COMPILING = 16;

/** The batches of a data set, longest rows first. On an engine that compiles, their lengths are few and suit the rows. */
function batchesOf(data: Dataset, { options, recorder }: EvaluationSetting): RowBatch[] {
  const batchSize = Math.min(options.evaluationBatchSize, data.size);
  const indices = Array.from({ length: data.size }, (_, index) => index);
  const { lengthMultiple } = options;
  let { lengths } = options;
  if (data.length) {
    indices.sort((a, b) => data.length!(b) - data.length!(a) || a - b);
    if (recorder && lengths.length === 0)
      lengths = chooseLengths(data, { batchSize, groupByLength: true, multiple: lengthMultiple });
  }
  const padding = { lengths, lengthMultiple };
  const lengthOf = ([longest]: readonly number[]): number =>
    data.length ? paddedLength(data.length(longest!), padding) : 0;
  const batches = chunks(indices, batchSize);
  const counts = new Map<number, number>();
  for (const rows of batches) counts.set(lengthOf(rows), (counts.get(lengthOf(rows)) ?? 0) + 1);
  return batches.map((rows) => {
    const count = counts.get(lengthOf(rows))!;
    const compiled = options.compile === true || count >= WORTH_COMPILING;
    // A function is for one number of rows.
    const size = recorder !== undefined && (compiled || count > 1) ? batchSize : rows.length;
    return { rows, padding, compiled, size };
  });
}

/** Runs the model over a data set, nothing random, longest rows together; `visit` gets what `forward` made of each row. */
async function forEachRow(
  data: Dataset,
  setting: EvaluationSetting,
  forward: Forward,
  visit: (index: number, values: Float32Array) => void,
): Promise<void> {
  if (data.size === 0) throw new HypetuneError('trainer: the data set has no rows.');
  const { instrument, recorder } = setting;
  const { task } = setting.options;
  const output = outputOf(instrument.model);
  const compute = (batch: RowBatch): Computed => {
    const { rows, size, compiled } = batch;
    const run = (inputs: readonly tf.Tensor[]): tf.Tensor => {
      const pass = { ...PASS, rows: size };
      return task.logits(instrument.run(pass, inputs, { dropout: {} }), output);
    };
    const result = tf.tidy(() => {
      const forwards = forward(batch, run);
      const step = (): tf.Tensor => keepingForGradient(forwards);
      return recorder ? recorder.record(() => tf.tidy(step), undefined, compiled) : step();
    });
    return { rows, result };
  };
  const read = async ({ rows, result }: Computed): Promise<void> => {
    const values = await result.data<'float32'>();
    const width = result.size / result.shape[0]!;
    await tf.nextFrame();
    rows.forEach((index, row) => {
      visit(index, values.slice(row * width, (row + 1) * width));
    });
  };
  const begun: Computed[] = [];
  try {
    for (const batch of batchesOf(data, setting)) {
      begun.push(compute(batch));
      if (begun.length < AHEAD) continue;
      await read(begun[0]!);
      begun.shift()!.result.dispose();
    }
    for (const last of begun) await read(last);
  } finally {
    for (const { result } of begun) result.dispose();
  }
}

/** The model's logits for each row, in the data set's order; of a task of tokens, those of the row's own tokens. */
export async function predictRows(data: Dataset, setting: EvaluationSetting): Promise<Float32Array[]> {
  const logits: Float32Array[] = Array.from({ length: data.size });
  const forward: Forward = ({ rows, size, padding }, run) => {
    const { inputs } = collateInputs(data, rows, { rows: size, padding });
    return () => run(inputs);
  };
  await forEachRow(data, setting, forward, (index, values) => {
    logits[index] = checkFinite(ownTokens(values, data, index, setting), index, setting);
  });
  return logits;
}

/** What the model says of each row, in the data set's order. */
export async function predictionsOf(data: Dataset, setting: EvaluationSetting): Promise<Prediction[]> {
  const { task } = setting.options;
  const outputs = task.outputs(outputOf(setting.instrument.model));
  return (await predictRows(data, setting)).map((logits) => task.predict(logits, outputs));
}

/** Loss and metrics of the model on a data set. */
export async function evaluateRows(data: Dataset, setting: EvaluationSetting): Promise<Evaluation> {
  const { instrument, options } = setting;
  const { task } = options;
  const loss = rowLossOf(options);
  const output = outputOf(instrument.model);
  const outputs = task.outputs(output);
  const predictions: Prediction[] = Array.from({ length: data.size });
  const forward: Forward = ({ rows, size, padding }, run) => {
    const batch = collate(data, rows, { task, output, rows: size, padding });
    const column = (x: tf.Tensor): tf.Tensor => tf.reshape(x, [size, -1]);
    return () => {
      const logits = run(batch.inputs);
      return tf.concat([column(loss(logits, batch.labels)), column(batch.weights), column(logits)], 1);
    };
  };
  // Added up in the data set's order, so that the sum does not depend on how rows are batched.
  const sums: (readonly [loss: number, weight: number])[] = Array.from({ length: data.size });
  await forEachRow(data, setting, forward, (index, values) => {
    sums[index] = [values[0]!, values[1]!];
    const logits = checkFinite(ownTokens(values.slice(2), data, index, setting), index, setting);
    predictions[index] = task.predict(logits, outputs);
  });
  const weighed = sums.reduce((sum, [, weight]) => sum + weight, 0);
  if (weighed === 0)
    throw new HypetuneError('trainer: no label of the data set counts; each is to be ignored.');
  const labels = Array.from({ length: data.size }, (_, index) => data.label(index));
  const context = { task, outputs };
  return {
    loss: sums.reduce((sum, [rowLoss, weight]) => sum + rowLoss * weight, 0) / weighed,
    metrics: measure(options.metrics, predictions, labels, context),
    report: classReport(predictions, labels, context),
    ...{ predictions, losses: sums.map(([rowLoss]) => rowLoss) },
  };
}

/** The part of a row's logits that is not padding. */
function ownTokens(
  logits: Float32Array,
  data: Dataset,
  index: number,
  { instrument, options }: EvaluationSetting,
): Float32Array {
  const output = outputOf(instrument.model);
  if (output.shape.length < 3 || !data.length) return logits;
  return logits.slice(0, data.length(index) * options.task.outputs(output));
}

function checkFinite(logits: Float32Array, index: number, { step }: EvaluationSetting): Float32Array {
  const bad = logits.find((value) => !Number.isFinite(value));
  if (bad === undefined) return logits;
  throw new HypetuneError(
    `trainer: the model gives row ${index} the output ${bad}${step === undefined ? '' : ` after step ${step}`}; ` +
      `its weights have grown beyond all bounds: lower the learning rate or the plugins' strengths.`,
  );
}
