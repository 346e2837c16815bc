import * as tf from '@tensorflow/tfjs-core';
import { foldIn, type Key } from '@hypetune/ops';
import type { Dataset } from './batch.js';
import { collate } from './data/collate.js';
import { epochBatches } from './data/order.js';
import { weightedMean } from './gradient.js';
import type { Host } from './host.js';
import type { Instrument } from './instrument.js';
import { keepingForGradient } from './keeping.js';
import { outputOf } from './model-output.js';
import type { ResolvedOptions } from './options.js';
import type { Run } from './plugin.js';
import type { StepRecorder } from './recorder.js';
import { runStep } from './update.js';

/** `Run.eachGradient` over a data set: the task loss alone, dropout on, no tap called. */
export function eachGradient(
  options: ResolvedOptions,
  host: Host,
  instrument: Instrument,
  recorder: StepRecorder | undefined,
  data: Dataset,
  key: Key,
): Run['eachGradient'] {
  const { task, batchSize, loss = task.loss } = options;
  const modelOutput = outputOf(options.model);
  return async (visit) => {
    const batches = epochBatches(data, batchSize, key, false);
    const trainable = host.parameters.filter((parameter) => parameter.trainable);
    for (const [place, rows] of batches.entries()) {
      runStep(recorder, () => {
        const batch = collate(data, rows, {
          task,
          output: modelOutput,
          rows: recorder && !instrument.mixesRows ? batchSize : rows.length,
          padding: options,
        });
        const own = foldIn(key, place);
        const pass = {
          name: 'main',
          kind: 'main',
          training: true,
          perturb: false,
          key: own,
          stepKey: own,
        } as const;
        const total = (): tf.Scalar => {
          const silent = { dropout: host.dropout, silent: true };
          const output = instrument.run({ ...pass, rows: batch.indices.length }, batch.inputs, silent);
          return weightedMean(loss(task.logits(output, modelOutput), batch.labels), batch.weights);
        };
        const xs = trainable.map(({ variable }) => variable as tf.Tensor);
        const { grads } = keepingForGradient(() => tf.engine().gradients(total, xs, undefined, true));
        const gradients = trainable.map(
          ({ name, variable }, i) => [name, grads[i] ?? tf.zerosLike(variable)] as const,
        );
        visit(Object.fromEntries(gradients), place, batches.length);
        return [];
      });
      // Lets progress bars and signals through between batches.
      await tf.nextFrame();
    }
  };
}
