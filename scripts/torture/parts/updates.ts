import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { type Snapshot, tensorData, Trainer } from '@hypetune/core';
import { hype } from '@hypetune/hype';
import { writeFolder } from '../../../packages/cli/src/atomic.js';
import { readCheckpoint, writeCheckpoint } from '../../../packages/cli/src/checkpoint.js';
import type { Part, Trials } from '../part.js';

const UPDATES = 10_000;
const GOAL = 1_000_000;
const ROWS = 4;

/** One run of a million updates, which each call of the command goes on with from its last checkpoint. */
export const updates: Part = {
  name: 'updates',
  summary:
    'One run of HyPe on a network of two hidden layers (engine cpu), resumed from its checkpoint every 10,000 updates. A fault: a tensor more than before, a weight that is no number, or a heap that has grown by 10 MB since the first 10,000.',
  unit: 'updates',
  size: UPDATES,
  goal: GOAL,
  open: async (folder): Promise<Trials> => {
    await tf.setBackend('cpu');
    const state = join(folder, 'run');
    mkdirSync(folder, { recursive: true });
    const inputs = tf.tensor2d(
      Array.from({ length: ROWS * 3 }, (_, i) => Math.sin(i)),
      [ROWS, 3],
    );
    const data = tensorData(inputs, [0, 1, 1, 0]);
    const model = network();
    let firstHeap: number | undefined;
    return {
      run: async (trial) => {
        const file = join(state, `${trial - 1}.safetensors`);
        const resume = trial > 0 ? await readCheckpoint(file) : undefined;
        const before = tf.memory().numTensors;
        const stop = new AbortController();
        const trainer = new Trainer({
          ...{ model, plugins: [hype({ scale: 1e-3 })], steps: GOAL, batchSize: ROWS, seed: 1 },
          optimizer: { learningRate: 1e-3 },
        });
        let snapshot: Snapshot | undefined;
        trainer.hooks.onStep.tap('torture', ({ step }) => {
          if (step >= (trial + 1) * UPDATES) stop.abort();
        });
        trainer.hooks.onFitEnd.tapPromise('torture', async () => {
          snapshot = await trainer.snapshot();
        });
        const began = performance.now();
        const report = await trainer.fit(data, { signal: stop.signal, ...(resume && { resume }) });
        const microseconds = ((performance.now() - began) * 1000) / UPDATES;
        await writeFolder(state, async (fresh) => {
          await writeCheckpoint(join(fresh, `${trial}.safetensors`), snapshot!);
        });
        globalThis.gc?.();
        const { heapUsed, rss } = process.memoryUsage();
        const heap = heapUsed / 1e6;
        firstHeap ??= heap;
        const faults = [
          ...(tf.memory().numTensors === before ? [] : [`${tf.memory().numTensors - before} tensors more`]),
          ...(Number.isFinite(report.lastLoss) ? [] : [`loss ${report.lastLoss}`]),
          ...(report.steps === (trial + 1) * UPDATES ? [] : [`${report.steps} updates`]),
          ...(heap - firstHeap < 10 ? [] : [`heap ${heap.toFixed(1)} MB, ${firstHeap.toFixed(1)} at first`]),
          ...(existsSync(join(state, `${trial}.safetensors`)) ? [] : ['no checkpoint']),
        ];
        return {
          kinds: { updates: UPDATES },
          faults,
          figures: { 'heap, MB': heap, 'resident, MB': rss / 1e6, 'an update, µs': microseconds },
        };
      },
      close: () => {
        inputs.dispose();
        model.dispose();
      },
    };
  },
};

function network(): LayersModel {
  const dense = (units: number, seed: number): layers.Layer =>
    layers.dense({ units, activation: 'tanh', kernelInitializer: initializers.glorotUniform({ seed }) });
  return sequential({
    layers: [layers.inputLayer({ inputShape: [3] }), dense(4, 1), dense(4, 2), dense(2, 3)],
  });
}
