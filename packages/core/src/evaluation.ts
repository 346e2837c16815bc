import * as tf from '@tensorflow/tfjs-core';
import { seedKey } from '@hypetune/ops';
import type { Dataset } from './batch.js';
import { chunks } from './data/order.js';
import { collate } from './data/collate.js';
import { HypetuneError } from './errors.js';
import type { Instrument } from './instrument.js';
import { keepingForGradient } from './keeping.js';
import { labelWidth, toLogits } from './logits.js';
import { metricsFor } from './metrics/index.js';
import type { ResolvedOptions } from './options.js';
import type { Pass } from './pass.js';
import type { StepRecorder } from './recorder.js';

/** Loss and metrics over a data set. */
export interface Evaluation {
  /** Mean over the rows, no plugin's term in it. */
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
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

/** Runs the model over a data set, nothing random, longest rows together; hands out logits and losses by row. */
async function forEachRow(
  data: Dataset,
  instrument: Instrument,
  options: ResolvedOptions,
  recorder: StepRecorder | undefined,
  labelled: boolean,
  visit: (index: number, logits: Float32Array, loss: number) => void,
): Promise<void> {
  if (data.size === 0) throw new HypetuneError('trainer: the data set has no rows.');
  const { task } = options;
  const batchSize = Math.min(options.evaluationBatchSize, data.size);
  const width = labelWidth(instrument.model, task);
  const indices = Array.from({ length: data.size }, (_, index) => index);
  if (data.length) indices.sort((a, b) => data.length!(b) - data.length!(a) || a - b);
  const source = labelled ? data : unlabelled(data);
  for (const rows of chunks(indices, batchSize)) {
    const result = tf.tidy(() => {
      const batch = collate(source, rows, {
        task,
        width,
        rows: recorder ? batchSize : rows.length,
        padding: options,
      });
      const forward = (): tf.Tensor2D =>
        keepingForGradient(() => {
          const pass = { ...PASS, rows: batch.indices.length };
          const logits = toLogits(
            instrument.model,
            instrument.run(pass, batch.inputs, { dropout: {} }),
            task,
          );
          return tf.concat(
            [tf.reshape(options.loss(logits, batch.labels), [-1, 1]), logits],
            1,
          ) as tf.Tensor2D;
        });
      return recorder ? recorder.record(() => tf.tidy(forward)) : forward();
    });
    const values = await result.data<'float32'>();
    const outputs = result.shape[1];
    result.dispose();
    await tf.nextFrame();
    rows.forEach((index, row) => {
      const start = row * outputs;
      visit(index, values.slice(start + 1, start + outputs), values[start]!);
    });
  }
}

/** The same rows with every label 0: what is to be predicted has none. */
function unlabelled(data: Dataset): Dataset {
  return {
    size: data.size,
    label: () => 0,
    inputs: (indices, padded) => data.inputs(indices, padded),
    ...(data.length && { length: (index: number) => data.length!(index) }),
  };
}

/** The model's logits for each row, in the data set's order. */
export async function predictRows(
  data: Dataset,
  instrument: Instrument,
  options: ResolvedOptions,
  recorder: StepRecorder | undefined,
): Promise<Float32Array[]> {
  const rows: Float32Array[] = Array.from({ length: data.size });
  await forEachRow(data, instrument, options, recorder, false, (index, logits) => {
    rows[index] = logits;
  });
  return rows;
}

/** Loss and metrics of the model on a data set. */
export async function evaluateRows(
  data: Dataset,
  instrument: Instrument,
  options: ResolvedOptions,
  recorder: StepRecorder | undefined,
): Promise<Evaluation> {
  const rows: Float32Array[] = Array.from({ length: data.size });
  const losses = new Float64Array(data.size);
  await forEachRow(data, instrument, options, recorder, true, (index, logits, loss) => {
    rows[index] = logits;
    losses[index] = loss;
  });
  const labels = Array.from({ length: data.size }, (_, index) => data.label(index));
  return {
    loss: losses.reduce((sum, loss) => sum + loss, 0) / data.size,
    metrics: metricsFor(options.metrics, rows, labels, options.task),
  };
}
