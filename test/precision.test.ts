import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  tensorData,
  type Dataset,
  type Plugin,
  type Snapshot,
  type StepRecorder,
  type TrainerOptions,
} from '@hypetune/core';
import { hype } from '@hypetune/hype';
import { bertConfig, bertModel } from '@hypetune/models';
import { r3f } from '@hypetune/r3f';
import { describe, expect, test } from 'vitest';
import { enginesPresent } from './support/engines.js';
import { buildModel } from './support/models.js';
import { makeTrainer, weightsOf } from './support/training.js';

const [native] = await enginesPresent(['native']);

test('an engine that has only float32 says so', async () => {
  const model = buildModel('features');
  const data = tensorData(tf.ones([4, 4]), [0, 1, 0, 1]);
  await expect(makeTrainer(model, [], { precision: 'bfloat16' }).fit(data)).rejects.toThrow(
    "trainer: precision is 'bfloat16', but the engine 'cpu' has only float32",
  );
  expect(() => makeTrainer(model, [], { precision: 'float16' as 'float32' })).toThrow(
    "precision must be one of 'float32', 'bfloat16', 'auto'",
  );
  model.dispose();
});

test('auto takes bfloat16 where the processor has it, and says so; explain() says what it leaves of noise', async () => {
  await tf.setBackend('cpu');
  const model = buildModel('features');
  const data = tensorData(tf.ones([4, 4]), [0, 1, 0, 1]);
  const backend = tf.backend() as { recorder?: StepRecorder };
  const explained: string[] = [];
  const said: string[] = [];
  const recorded: unknown[] = [];
  try {
    for (const bfloat16 of ['none', 'slow', 'fast'] as const) {
      backend.recorder = {
        bfloat16,
        record: (step, precision) => (recorded.push(precision), step()),
        report: () => ({
          ...{ compiled: true, graphs: 0, compilations: 0, executions: 0 },
          ...{ renewals: 0, eagerOperations: {} },
        }),
      };
      const onWarning = (line: string): void => void said.push(line);
      const plugins = [hype({ scale: 1e-5 }), r3f({ scale: 0.01 })];
      const trainer = makeTrainer(model, plugins, { precision: 'auto', compile: true, steps: 1, onWarning });
      await trainer.fit(data);
      explained.push(trainer.explain());
    }
  } finally {
    delete backend.recorder;
  }
  expect(recorded).toEqual([undefined, undefined, 'bfloat16']);
  expect(said.filter((line) => line.includes('auto'))).toEqual([
    'precision: auto: matrix products are computed in bfloat16, which this processor has instructions for.',
  ]);
  const [none, slow, fast] = explained;
  for (const text of [none, slow]) expect(text).not.toMatch(/bfloat16|rounding/);
  expect(fast).toContain('precision  bfloat16: operands and results of matrix products');
  // Numbers from 1 to 2 lie 2^-7 apart.
  expect(fast).toContain('hype: scale 0.00001 is below the rounding of bfloat16');
  expect(fast).toContain('one entry in 781 moved');
  expect(fast).not.toContain('r3f: scale');
  model.dispose();
});

describe.skipIf(native?.backend === undefined)('bfloat16', { timeout: 300_000 }, () => {
  const [rows, length] = [12, 16];
  const build = (): LayersModel =>
    bertModel(
      bertConfig({
        vocab_size: 50,
        hidden_size: 64,
        num_hidden_layers: 2,
        num_attention_heads: 4,
        intermediate_size: 128,
        max_position_embeddings: 16,
        initializer_range: 0.1,
      }),
      { seed: 1 },
    );
  const buildRows = (): { data: Dataset; inputs: tf.Tensor[] } => {
    const ids = Array.from({ length: rows * length }, (_, i) => (i * 7919) % 47);
    const inputs = [
      tf.tensor2d(ids, [rows, length], 'int32'),
      tf.ones([rows, length], 'int32'),
      tf.zeros([rows, length], 'int32'),
    ];
    return {
      inputs,
      data: tensorData(
        inputs,
        Array.from({ length: rows }, (_, row) => row % 2),
      ),
    };
  };
  const options: Partial<TrainerOptions> = {
    batchSize: 6,
    steps: 6,
    accumulate: 1,
    compile: true,
    optimizer: { learningRate: 2e-3 },
  };
  const plugins = (): Plugin[] => [hype({ scale: 1e-3 }), r3f()];

  test('trains as float32 does, and a resumed run equals an unbroken one', async () => {
    await tf.setBackend(native!.backend!);
    const { data, inputs } = buildRows();
    const run = async (
      given: Partial<TrainerOptions>,
      stopAt?: number,
      resume?: Snapshot,
    ): Promise<{ losses: number[]; weights: number[]; snapshot: Snapshot | undefined }> => {
      const model = build();
      const trainer = makeTrainer(model, plugins(), { ...options, ...given });
      const stop = new AbortController();
      const losses: number[] = [];
      let snapshot: Snapshot | undefined;
      trainer.hooks.onStep.tap('test', ({ loss, step }) => {
        losses.push(loss);
        if (step === stopAt) stop.abort();
      });
      trainer.hooks.onFitEnd.tapPromise('test', async () => {
        snapshot = await trainer.snapshot();
      });
      await trainer.fit(data, { signal: stop.signal, ...(resume && { resume: structuredClone(resume) }) });
      expect(trainer.compileReport()).toMatchObject({ compiled: true });
      const weights = Object.values(weightsOf(model)).flat();
      model.dispose();
      return { losses, weights, snapshot };
    };
    const exact = await run({});
    const whole = await run({ precision: 'bfloat16' });
    whole.losses.forEach((loss, i) => {
      expect(Math.abs(loss - exact.losses[i]!)).toBeLessThan(0.02);
    });
    expect(whole.losses).not.toEqual(exact.losses);
    const part = await run({ precision: 'bfloat16' }, 3);
    const rest = await run({ precision: 'bfloat16' }, undefined, part.snapshot);
    expect([...part.losses, ...rest.losses]).toEqual(whole.losses);
    expect(rest.weights).toEqual(whole.weights);
    tf.dispose(inputs);
    await tf.setBackend('cpu');
  });

  test('explains what it rounds, and measures in it', async () => {
    await tf.setBackend(native!.backend!);
    const { data, inputs } = buildRows();
    const model = build();
    const trainer = makeTrainer(model, plugins(), { ...options, precision: 'bfloat16' });
    expect(trainer.explain()).toMatch(/^precision {2}bfloat16: operands and results of matrix products/m);
    const rounded = (await trainer.predict(data)).map((row) => Array.from(row));
    const exact = await makeTrainer(model, plugins(), options).predict(data);
    rounded.flat().forEach((value, i) => {
      expect(Math.abs(value - exact[i >> 1]![i & 1]!)).toBeLessThan(0.03);
    });
    tf.dispose(inputs);
    model.dispose();
    await tf.setBackend('cpu');
  });
});
