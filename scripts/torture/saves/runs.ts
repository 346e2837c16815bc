import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { Snapshot } from '@hypetune/core';
import { bertConfig, bertModel } from '@hypetune/models';
import {
  holdsRun,
  readRun,
  readRunCheckpoint,
  type RunRecord,
  saveRecord,
  saveRun,
} from '../../../packages/cli/src/run-folder.js';
import type { Save } from './save.js';

await tf.setBackend('cpu');
const model = bertModel(
  bertConfig({
    ...{ vocab_size: 200, hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2 },
    ...{ intermediate_size: 32, max_position_embeddings: 16 },
  }),
  { seed: 1 },
);

const record = (steps: number, finished: boolean): RunRecord => ({
  ...{ version: 1, maxLength: 16, recipe: 'nodrop', seed: 0, engine: 'cpu', steps, finished, config: {} },
  task: { name: 'torture', kind: 'classification', labels: [], metrics: ['accuracy'], pair: false },
});

const VALUES = 10_000;

const snapshot = (step: number): Snapshot => ({
  meta: { version: 1, seed: 0, step, total: 1e9, plugins: {} },
  tensors: { x: { dtype: 'float32', shape: [VALUES], data: new Float32Array(VALUES).fill(step) } },
});

const beside = (home: string) => (): string[] => readdirSync(home).filter((name) => name !== 'run');

/** A run between two epochs, with its checkpoint. */
export function openRun(home: string): Save {
  const folder = join(home, 'run');
  return {
    write: (number) => saveRun(folder, model, record(number, false), [], snapshot(number)),
    read: async () => {
      if (!(await holdsRun(folder))) return undefined;
      const { steps } = await readRun(folder);
      const { meta, tensors } = await readRunCheckpoint(folder);
      if (meta.step !== steps || tensors['x']!.data.some((value) => value !== steps))
        throw new Error(`the record is of step ${steps}, the checkpoint of ${meta.step}`);
      return steps;
    },
    leftOvers: beside(home),
  };
}

/** A run that came to its end. */
export function openFinished(home: string): Save {
  const folder = join(home, 'run');
  return {
    write: (number) => saveRun(folder, model, record(number, true), []),
    read: async () => ((await holdsRun(folder)) ? (await readRun(folder)).steps : undefined),
    leftOvers: beside(home),
  };
}

/** Another record over that of a run. */
export function openRecord(home: string): Save {
  const folder = join(home, 'run');
  return {
    ...openFinished(home),
    write: async (number) => {
      if (!existsSync(folder)) await saveRun(folder, model, record(0, true), []);
      await saveRecord(folder, record(number, true));
    },
  };
}
