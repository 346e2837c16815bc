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
import type { Parameter } from './parameters.js';
import type { Run } from './plugin.js';
import type { StepRecorder } from './recorder.js';
import { rowLossOf } from './tasks/row-loss.js';
import { runStep } from './update.js';

/** `Run.eachGradient` over a data set: the task loss alone, dropout on, of taps only those of plugins with parameters called. */
export function eachGradient(
  options: ResolvedOptions,
  host: Host,
  instrument: Instrument,
  recorder: StepRecorder | undefined,
  data: Dataset,
  key: Key,
  parameters: () => readonly Parameter[],
): Run['eachGradient'] {
  const { task, batchSize } = options;
  const loss = rowLossOf(options);
  const modelOutput = outputOf(options.model);
  return async (visit) => {
    const batches = epochBatches(data, batchSize, key, false);
    const trained = parameters();
    const plugins = new Set(host.added.map(({ plugin }) => plugin));
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
          const setting = { dropout: host.dropout, plugins };
          const output = instrument.run({ ...pass, rows: batch.indices.length }, batch.inputs, setting);
          return weightedMean(loss(task.logits(output, modelOutput), batch.labels), batch.weights);
        };
        const xs = trained.map(({ variable }) => variable as tf.Tensor);
        const { grads } = keepingForGradient(() => tf.engine().gradients(total, xs, undefined, true));
        const gradients = trained.map(
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
