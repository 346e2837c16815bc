import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { distillation } from '@hypetune/distillation';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  IGNORED,
  type Metric,
  multiLabel,
  type Plugin,
  regression,
  singleLabel,
  type Task,
  tensorData,
  tokenClassification,
  Trainer,
} from '@hypetune/core';
import { enginesPresent } from './support/engines.js';
import { type Entry, registry } from './support/registry.js';
import { buildTask, type TaskCase, taskCases } from './support/tasks.js';
import { makeTrainer } from './support/training.js';

beforeEach(() => tf.setBackend('cpu'));

/** The method, a teacher of the task's own outputs in hand. */
const pluginFor = (entry: Entry, taskCase: TaskCase): Plugin =>
  entry.name === 'distillation' ? distillation({ teacher: buildTask(taskCase).model }) : entry.create();

describe.each(Object.entries(taskCases))('%s', (_, taskCase) => {
  test.each(registry)('with $name', async (entry) => {
    const plugin = pluginFor(entry, taskCase);
    const before = tf.memory().numTensors;
    const { model, data, dispose } = buildTask(taskCase);
    const trainer = makeTrainer(model, [plugin], { task: taskCase.task, steps: 2 });
    const losses: number[] = [];
    trainer.hooks.onStep.tap('test', ({ loss }) => losses.push(loss));
    await trainer.fit(data);
    const { loss, metrics } = await trainer.evaluate(data);
    dispose();
    expect(losses).toHaveLength(2);
    for (const value of [...losses, loss, ...Object.values(metrics)])
      expect(value).toSatisfy(Number.isFinite);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('learns its labels', async () => {
    const { model, data, dispose } = buildTask(taskCase);
    const trainer = makeTrainer(model, [], {
      ...{ task: taskCase.task, steps: 60 },
      optimizer: { learningRate: 0.02 },
      dropout: { hidden: 0, attention: 0 },
    });
    const before = await trainer.evaluate(data);
    await trainer.fit(data);
    const after = await trainer.evaluate(data);
    expect(after.loss).toBeLessThan(before.loss * 0.8);
    const [metric] = Object.keys(after.metrics);
    expect(after.metrics[metric!]!).toBeGreaterThan(0.9);
    dispose();
  });

  test('the gradient and the loss of an accumulated update are those of one large batch', async () => {
    const update = async (options: object): Promise<{ gradients: number[]; loss: number }> => {
      const { model, data, dispose } = buildTask(taskCase);
      const trainer = makeTrainer(model, [], {
        ...{ task: taskCase.task, steps: 1, compile: false, dropout: { hidden: 0, attention: 0 } },
        ...options,
      });
      const seen = { gradients: [] as number[], loss: NaN };
      trainer.hooks.afterBackward.tap({ name: 'test', stage: -1000 }, (gradients) => {
        seen.gradients = Object.values(gradients).flatMap((gradient) => Array.from(gradient.dataSync()));
        return gradients;
      });
      trainer.hooks.onStep.tap('test', ({ loss }) => (seen.loss = loss));
      await trainer.fit(data);
      dispose();
      return seen;
    };
    const [large, small] = [await update({ batchSize: 8 }), await update({ batchSize: 3, accumulate: 3 })];
    expect(small.loss).toBeCloseTo(large.loss, 6);
    expect(small.gradients).toHaveLength(large.gradients.length);
    const size = Math.max(...large.gradients.map(Math.abs));
    const apart = large.gradients.map((value, place) => Math.abs(value - small.gradients[place]!));
    expect(Math.max(...apart) / size).toBeLessThan(1e-6);
  });

  test('a row weighs the same in a batch of its own and in a large one', async () => {
    const { model, data, dispose } = buildTask(taskCase);
    const { task } = taskCase;
    const one = await makeTrainer(model, [], { task, evaluationBatchSize: 1 }).evaluate(data);
    const all = await makeTrainer(model, [], { task, evaluationBatchSize: 8 }).evaluate(data);
    expect(one.loss).toBeCloseTo(all.loss, 5);
    expect(one.metrics).toEqual(all.metrics);
    dispose();
  });
});

test('the terms that compare passes are there for every task', async () => {
  for (const { task, ...rest } of Object.values(taskCases))
    for (const name of ['r3f', 'r-drop', 'smart']) {
      const { model, data, dispose } = buildTask({ task, ...rest });
      const trainer = makeTrainer(model, [registry.find((entry) => entry.name === name)!.create()], {
        task,
        steps: 1,
      });
      let terms: Readonly<Record<string, number>> = {};
      trainer.hooks.onStep.tap('test', (report) => (terms = report.terms));
      await trainer.fit(data);
      expect(terms[name], `${name} with ${task.name}`).toBeGreaterThan(0);
      dispose();
    }
});

test('a task without a divergence is refused by name, at construction, by the methods that need one alone', () => {
  const { divergence, ...rest } = regression();
  expect(divergence).toBeDefined();
  const task: Task = { ...rest, name: 'mine' };
  const { model, dispose } = buildTask(taskCases.regression!);
  const refusing = registry.filter((entry) => {
    const plugin = pluginFor(entry, taskCases.regression!);
    try {
      makeTrainer(model, [plugin], { task });
      return false;
    } catch (error) {
      expect((error as Error).message).toBe(
        `${plugin.name}: compares two predictions, and the task 'mine' has no divergence; give it one, or leave ${plugin.name} out.`,
      );
      return true;
    }
  });
  expect(refusing.map(({ name }) => name)).toEqual([
    ...['r3f', 'r3f/r4f', 'r-drop', 'smart', 'cutoff', 'cutoff/span', 'distillation'],
  ]);
  dispose();
});

test("a user's own task in a few lines trains with R3F", async () => {
  const huber: Task = {
    ...regression(),
    name: 'huber',
    loss: (logits, labels) => {
      const error = tf.abs(tf.sub(logits, labels));
      const capped = tf.minimum(error, 1);
      return tf.mean(tf.sub(tf.mul(capped, error), tf.mul(0.5, tf.square(capped))), -1);
    },
  };
  const { model, data, dispose } = buildTask(taskCases.regression!);
  const trainer = makeTrainer(model, [registry.find(({ name }) => name === 'r3f')!.create()], {
    task: huber,
  });
  const { lastLoss } = await trainer.fit(data);
  expect(lastLoss).toSatisfy(Number.isFinite);
  expect(trainer.explain()).toContain('task       huber;');
  dispose();
});

test('keepBest and patience take a metric of the user, and the loss', async () => {
  const { model, data, dispose } = buildTask(taskCases.regression!);
  let [calls, worst] = [0, -1];
  const metric: Metric = {
    name: 'worst',
    greaterIsBetter: false,
    // Best in the second epoch, then worse and worse.
    compute: () => (worst = Math.abs((calls += 1) - 2)),
  };
  const options = { task: regression(), steps: 20, patience: 2 } as const;
  const own = makeTrainer(model, [], { ...options, keepBest: metric });
  const report = await own.fit(data, { validation: data });
  expect(report).toMatchObject({ stopped: 'patience', epochs: { length: 4 } });
  expect(Object.keys(report.epochs[0]!.metrics)).toEqual(['loss', 'pearson', 'spearman', 'worst']);
  expect(worst).toBe(2);
  const high = { ...options, optimizer: { learningRate: 3 }, keepBest: 'loss' } as const;
  const byLoss = makeTrainer(model, [], high);
  const { epochs } = await byLoss.fit(data, { validation: data });
  const best = Math.min(...epochs.map(({ metrics }) => metrics.loss!));
  expect((await byLoss.evaluate(data)).loss).toBe(best);
  dispose();
});

test('metrics are checked against the outputs before any training', () => {
  const { model, dispose } = buildTask(taskCases.classification!);
  expect(() => new Trainer({ model, metrics: ['f1'] })).toThrow(
    "'f1' is of class 1 of two classes; the model has 3",
  );
  expect(() => new Trainer({ model, keepBest: 'pearson' })).toThrow(
    "'pearson' is not defined for classification",
  );
  expect(() => new Trainer({ model, metrics: [{} as Metric] })).toThrow(
    'must be a name or { name, greaterIsBetter, compute }',
  );
  expect(() => new Trainer({ model, task: multiLabel(), metrics: ['f1'] })).toThrow(
    "'f1' is not defined for multi-label",
  );
  dispose();
});

test('outputs that are no numbers are an error that says row and step, in evaluation and prediction', async () => {
  const { model, data, dispose } = buildTask(taskCases.regression!);
  const [kernel] = model.layers.at(-1)!.weights;
  const trainer = makeTrainer(model, [], { task: regression(), steps: 4 });
  trainer.hooks.onStep.tap('test', ({ step }) => {
    if (step !== 2) return;
    // Each weight is a number still, their sums are none.
    tf.tidy(() => {
      kernel!.write(tf.mul(tf.sign(kernel!.read()), 3e38));
    });
  });
  await expect(trainer.fit(data, { validation: data })).rejects.toThrow(
    /^trainer: the model gives row \d the output (-?Infinity|NaN) after step 2; its weights have grown beyond all bounds/,
  );
  await expect(trainer.evaluate(data)).rejects.toThrow(/row \d the output (-?Infinity|NaN);/);
  await expect(trainer.predict(data)).rejects.toThrow(/row \d the output (-?Infinity|NaN);/);
  dispose();
});

test("a user's own model of token classes that ends in a softmax, its rows of different lengths", async () => {
  const model = sequential({
    layers: [
      layers.embedding({ inputDim: 9, outputDim: 6, inputShape: [null] as never }),
      layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });
  const ids = [[1, 2, 3], [4], [5, 6], [7, 8, 1, 2]];
  const data = {
    size: ids.length,
    label: (row: number) => ids[row]!.map((id, place) => (place === 1 ? IGNORED : id % 3)),
    length: (row: number) => ids[row]!.length,
    inputs: (rows: readonly number[], length: number = 4) => [
      tf.tensor2d(
        rows.map((row) => Array.from({ length }, (_, place) => ids[row]![place] ?? 0)),
        [rows.length, length],
        'int32',
      ),
    ],
  };
  const trainer = makeTrainer(model, [], {
    task: tokenClassification(),
    steps: 60,
    optimizer: { learningRate: 0.1 },
  });
  await trainer.fit(data);
  const { metrics, report } = await trainer.evaluate(data);
  expect(metrics).toEqual({ accuracy: 1 });
  expect(report!.classes.map(({ support }) => support)).toEqual([1, 4, 2]);
  const said = await trainer.predictions(data);
  expect(said.map(({ value }) => (value as number[]).length)).toEqual([3, 1, 2, 4]);
  expect(said[3]!.scores).toHaveLength(12);
  model.dispose();
});

test('balanced class weights are those of the rows trained on, also in evaluation afterwards', async () => {
  const model = sequential({
    layers: [layers.dense({ units: 2, inputShape: [1], kernelInitializer: 'zeros' })],
  });
  const x = tf.ones([4, 1]);
  const data = tensorData(x, [0, 0, 0, 1]);
  const trainer = makeTrainer(model, [], {
    task: singleLabel({ classWeights: 'balanced' }),
    optimizer: { learningRate: 0 },
  });
  await trainer.fit(data);
  expect((await trainer.evaluate(data)).loss).toBeCloseTo(Math.log(2), 6);
  const rare = tensorData(tf.ones([1, 1]), [1]);
  expect((await trainer.evaluate(rare)).loss).toBeCloseTo(2 * Math.log(2), 6);
  x.dispose();
  model.dispose();
});

describe.each(await enginesPresent(['wasm', 'native']))('on $engine', ({ backend, reason }) => {
  if (backend === undefined) test.skip(`not here: ${reason ?? ''}`);
  else
    test.each(Object.entries(taskCases))(
      '%s trains as in plain JavaScript, compiled or not',
      async (_, taskCase) => {
        const run = async (engine: string, compile: boolean): Promise<number[]> => {
          await tf.setBackend(engine);
          try {
            const { model, data, dispose } = buildTask(taskCase);
            const made = ['r-drop', 'hidden-mixup'].map((name) =>
              registry.find((entry) => entry.name === name)!.create(),
            );
            const options = { task: taskCase.task, steps: 3, compile, dropout: { hidden: 0 } };
            // Batches of 3, 3 and 2: the last is filled up where steps are compiled.
            const trainer = makeTrainer(model, made, { ...options, batchSize: 3 });
            const values: number[] = [];
            trainer.hooks.onStep.tap('test', ({ loss }) => values.push(loss));
            await trainer.fit(data);
            const { loss, metrics } = await trainer.evaluate(data);
            dispose();
            return [...values, loss, ...Object.values(metrics)];
          } finally {
            await tf.setBackend('cpu');
          }
        };
        const wanted = (await run('cpu', false)).map((value) => expect.closeTo(value, 4) as number);
        expect(await run(backend, backend !== 'wasm')).toEqual(wanted);
      },
    );
});
