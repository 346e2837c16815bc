import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Dataset } from './batch.js';
import type { StepRecorder } from './recorder.js';
import { Trainer } from './trainer.js';

/** Rows of token ids, `lengths[row]` of them; a row's logits are functions of their sum. */
function tokenRows(lengths: readonly number[], seen: number[][] = []): Dataset {
  return {
    size: lengths.length,
    label: () => 0,
    length: (row) => lengths[row]!,
    inputs: (rows, length) => {
      seen.push([rows.length, length!]);
      const ids = rows.flatMap((row) =>
        Array.from({ length: length! }, (_, place) => (place < lengths[row]! ? row + 1 : 0)),
      );
      return [tf.tensor3d(ids, [rows.length, length!, 1])];
    },
  };
}

const model = layers.sequential({
  layers: [
    layers.layers.dense({ units: 2, inputShape: [null, 1], useBias: false }),
    layers.layers.globalAveragePooling1d({}),
  ],
});

/** Steps that were recorded, and those of them that were to be compiled. */
let recorded = 0;
let compiled = 0;
const recorder: StepRecorder = {
  bfloat16: 'fast',
  record: (step, _, compile = true) => {
    recorded += 1;
    if (compile) compiled += 1;
    return step();
  },
  report: () => ({
    ...{ compiled: true, graphs: 0, compilations: 0, executions: 0 },
    ...{ renewals: 0, eagerOperations: {} },
  }),
};
beforeEach(() => {
  recorded = 0;
  compiled = 0;
  (tf.backend() as { recorder?: StepRecorder }).recorder = recorder;
});
afterEach(() => {
  delete (tf.backend() as { recorder?: StepRecorder }).recorder;
});

const lengths = Array.from({ length: 37 }, (_, row) => 1 + ((row * 11) % 30));

test('rows come back in their order, however they are sorted, padded and filled up', async () => {
  const predict = (batchSize: number, compile: boolean): Promise<Float32Array[]> =>
    new Trainer({ model, batchSize, compile, lengths: [32] }).predict(tokenRows(lengths));
  const together = await predict(8, true);
  expect(recorded).toBe(5);
  expect(together).toEqual(await predict(1, false));
  expect(new Set(together.map(([logit]) => logit)).size).toBeGreaterThan(20);
});

test('a length is compiled where many batches have it, always, or never; else it is a function that is not', async () => {
  const counted = async (rows: number, options: object): Promise<[recorded: number, compiled: number]> => {
    [recorded, compiled] = [0, 0];
    await new Trainer({ model, batchSize: 2, ...options }).predict(tokenRows(lengths.slice(0, rows)));
    return [recorded, compiled];
  };
  expect(await counted(8, {})).toEqual([4, 0]);
  expect(await counted(37, { lengths: [32] })).toEqual([19, 19]);
  // Longest first: four batches of 32, fifteen of 24; with 25, three and sixteen.
  expect(await counted(37, { lengths: [24, 32] })).toEqual([19, 0]);
  expect(await counted(37, { lengths: [25, 32] })).toEqual([19, 16]);
  expect(await counted(8, { compile: true })).toEqual([4, 4]);
  expect(await counted(8, { precision: 'bfloat16' })).toEqual([4, 0]);
  expect(await counted(37, { compile: false })).toEqual([0, 0]);
});

test('the last batch is filled up where others have its length, so that one function does for all', async () => {
  const sizes = async (rows: number, options: object): Promise<number[]> => {
    const seen: number[][] = [];
    const trainer = new Trainer({ model, batchSize: 4, lengths: [32], ...options });
    await trainer.predict(tokenRows(lengths.slice(0, rows), seen));
    return seen.map(([size]) => size!);
  };
  expect(await sizes(9, {})).toEqual([4, 4, 4]);
  expect(await sizes(9, { lengths: [6, 32] })).toEqual([4, 4, 1]);
  expect(await sizes(9, { compile: false })).toEqual([4, 4, 1]);
  expect(await sizes(3, {})).toEqual([3]);
});

test('batches are as long as suits their rows, few lengths where they are compiled', async () => {
  const widths = async (compile: boolean): Promise<number[]> => {
    const seen: number[][] = [];
    await new Trainer({ model, batchSize: 4, compile, lengthMultiple: 2 }).predict(tokenRows(lengths, seen));
    return [...new Set(seen.map(([, width]) => width!))];
  };
  const [few, many] = [await widths(true), await widths(false)];
  expect(few[0]).toBe(30);
  expect(few.length).toBeLessThan(many.length);
  const longest = lengths.toSorted((a, b) => b - a).filter((_, place) => place % 4 === 0);
  expect(many).toEqual(longest.map((length) => 2 * Math.ceil(length / 2)));
});

test('a row that is no number is an error that leaves nothing behind, whichever batch has it', async () => {
  for (const place of [0, 17, 36]) {
    const rows = tokenRows(lengths);
    const broken: Dataset = {
      ...rows,
      inputs: (indices, length) => {
        const given = rows.inputs(indices, length);
        return indices.includes(place) ? given.map((x) => tf.mul(x, NaN)) : given;
      },
    };
    const before = tf.memory().numTensors;
    const predicting = new Trainer({ model, batchSize: 8, lengths: [32] }).predict(broken);
    await expect(predicting).rejects.toThrow(/^trainer: the model gives row \d+ the output NaN/);
    expect(tf.memory().numTensors).toBe(before);
  }
});
