import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import {
  initializers,
  input,
  layers,
  model as functional,
  sequential,
  type LayersModel,
} from '@tensorflow/tfjs-layers';
import { multiLabel, tensorData, Trainer, type Snapshot, type TrainerOptions } from '@hypetune/core';
import { expect, test } from 'vitest';
import { distillation, softLoss } from './index.js';

const near = (tensor: tf.Tensor, wanted: number[]): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 5);
  });
};

test('the soft loss by hand: T squared times the cross-entropy of softened predictions', () => {
  // At T = 2 both are (3/4, 1/4) and (1/2, 1/2): 4 ln 2
  const [teacher, student] = [tf.tensor2d([[Math.log(9), 0]]), tf.tensor2d([[0, 0]])];
  near(softLoss(teacher, student, 2), [4 * Math.LN2]);
  near(softLoss(teacher, student, 1), [Math.LN2]);
  near(softLoss(student, teacher, 2), [-2 * (Math.log(0.75) + Math.log(0.25))]);
});

test('its gradient is T (q - p), which at any T is about (s - t) / classes', () => {
  const [teacher, student] = [tf.tensor2d([[0.3, 0]]), tf.tensor2d([[0, 0.1]])];
  const gradient = tf.grad((x) => tf.sum(softLoss(teacher, x as tf.Tensor2D, 100)));
  const got = gradient(student).dataSync();
  // deviations from the mean: teacher (0.15, -0.15), student (-0.05, 0.05)
  expect(got[0]).toBeCloseTo((-0.05 - 0.15) / 2, 2);
  expect(got[1]).toBeCloseTo((0.05 + 0.15) / 2, 2);
});

const start = (seed: number): ReturnType<typeof initializers.randomUniform> =>
  initializers.randomUniform({ minval: -1, maxval: 1, seed });

function network(seed: number, units = 2, dropout = 0): LayersModel {
  return sequential({
    layers: [
      layers.dense({ units: 5, activation: 'tanh', inputShape: [3], kernelInitializer: start(seed) }),
      layers.dropout({ rate: dropout }),
      layers.dense({ units, kernelInitializer: start(seed + 1) }),
    ],
  });
}

const x = tf.randomUniform([16, 3], -1, 1, 'float32', 3);
const labels = Array.from({ length: 16 }, (_, row) => row % 2);
const data = tensorData(x, labels);
const options: Partial<TrainerOptions> = {
  ...{ batchSize: 8, epochs: 2, compile: false },
  ...{ optimizer: { learningRate: 0.05 }, schedule: { warmup: 0, decay: 'constant' } },
};

test('with the whole weight the model learns what the teacher says, not the labels', async () => {
  const [teacher, model] = [network(1), network(7)];
  const distance = (): number =>
    tf.tidy(() => tf.mean(tf.squaredDifference(softmaxOf(model), softmaxOf(teacher))).dataSync()[0]!);
  const before = distance();
  const plugins = [distillation({ teacher, weight: 1 })];
  const trainer = new Trainer({ model, plugins, ...options, epochs: 60 });
  await trainer.fit(data);
  expect(distance()).toBeLessThan(before / 20);
});

const softmaxOf = (model: LayersModel): tf.Tensor => tf.softmax(model.predict(x) as tf.Tensor);

test('the loss is the weighted average, dropout of the teacher does not act', async () => {
  const [teacher, model] = [network(1, 2, 0.5), network(7)];
  const [t, s] = [teacher.predict(x), model.predict(x)] as tf.Tensor2D[];
  const soft = tf.mean(softLoss(t!, s!, 3)).dataSync()[0]!;
  const hard = tf.losses.softmaxCrossEntropy(tf.oneHot(labels, 2), s!).dataSync()[0]!;
  const plugins = [distillation({ teacher, weight: 0.25, temperature: 3 })];
  const trainer = new Trainer({ model, plugins, ...options, batchSize: 16, steps: 1 });
  const seen: Readonly<Record<string, number>>[] = [];
  trainer.hooks.onStep.tap('test', ({ terms }) => seen.push(terms));
  await trainer.fit(data);
  expect(seen[0]!['task']).toBeCloseTo(0.75 * hard, 5);
  expect(seen[0]!['distillation']).toBeCloseTo(0.25 * soft, 5);
});

test('of a teacher with several outputs the first is meant, and how it ends, not how the last does', async () => {
  const teacher = network(1);
  const other = layers.dense({ units: 2, activation: 'softmax' }).apply(teacher.outputs[0]!);
  const both = functional({ inputs: teacher.inputs, outputs: [teacher.outputs[0]!, other as never] });
  const terms = async (taught: LayersModel): Promise<unknown> => {
    const plugins = [distillation({ teacher: taught })];
    const trainer = new Trainer({ model: network(7), plugins, ...options, batchSize: 16, steps: 1 });
    const seen: unknown[] = [];
    trainer.hooks.onStep.tap('test', (report) => seen.push(report.terms));
    await trainer.fit(data);
    return seen;
  };
  expect(await terms(both)).toEqual(await terms(teacher));
});

test('of several labels a row the soft loss is a mean, as the loss is: equal halves where the labels are what the teacher says', async () => {
  const [teacher, model] = [network(1, 20), network(1, 20)];
  const said = (tf.sigmoid(teacher.predict(x) as tf.Tensor) as tf.Tensor2D).arraySync();
  const plugins = [distillation({ teacher, temperature: 1 })];
  const task = multiLabel();
  const trainer = new Trainer({ model, task, plugins, ...options, batchSize: 16, steps: 1 });
  const seen: Readonly<Record<string, number>>[] = [];
  trainer.hooks.onStep.tap('test', ({ terms }) => seen.push(terms));
  await trainer.fit(tensorData(x, said));
  expect(seen[0]!['task']).toBeGreaterThan(0.1);
  expect(seen[0]!['distillation']).toBeCloseTo(seen[0]!['task']!, 5);
});

test('the teacher is neither trained nor saved nor disposed, and a run resumes to the last bit', async () => {
  const teacher = network(1);
  const before = teacher.getWeights().map((weight) => Array.from(weight.dataSync()));
  const run = async (resume?: Snapshot): Promise<{ losses: number[]; snapshots: Snapshot[] }> => {
    const model = network(7, 2, 0.2);
    const trainer = new Trainer({ model, plugins: [distillation({ teacher })], ...options });
    const losses: number[] = [];
    const snapshots: Snapshot[] = [];
    trainer.hooks.onStep.tap('test', ({ loss }) => losses.push(loss));
    trainer.hooks.onEpoch.tapPromise('test', async () => {
      snapshots.push(await trainer.snapshot());
    });
    await trainer.fit(data, { ...(resume && { resume }) });
    model.dispose();
    return { losses, snapshots };
  };
  const whole = await run();
  expect((await run(whole.snapshots[0])).losses).toEqual(whole.losses.slice(2));
  const saved = Object.keys(whole.snapshots[0]!.tensors);
  expect(saved.filter((name) => name.startsWith('model/'))).toHaveLength(4);
  expect(saved.filter((name) => name.startsWith('plugin/'))).toEqual([]);
  expect(teacher.getWeights().map((weight) => Array.from(weight.dataSync()))).toEqual(before);
});

/** Two inputs by name, the sum of a dense layer on each. */
function twoInputs(names: readonly string[]): LayersModel {
  const inputs = names.map((name) => input({ shape: [3], name }));
  const parts = inputs.map((each) => layers.dense({ units: 4 }).apply(each));
  const sum = parts.length === 1 ? parts[0]! : layers.add().apply(parts as never);
  return functional({ inputs, outputs: layers.dense({ units: 2 }).apply(sum as never) as never });
}

test('a teacher gets the inputs it names; one that wants others is refused', async () => {
  const model = twoInputs(['ids', 'types']);
  const teacher = twoInputs(['types']);
  const trainer = new Trainer({
    model,
    plugins: [distillation({ teacher })],
    ...options,
    batchSize: 16,
    steps: 1,
  });
  const seen: number[] = [];
  trainer.hooks.onStep.tap('test', ({ terms }) => seen.push(terms['distillation']!));
  const types = tf.mul(x, 2);
  const s = model.predict([x, types]) as tf.Tensor2D;
  const wanted = softLoss(teacher.predict(types) as tf.Tensor2D, s, 2);
  await trainer.fit(tensorData([x, types], labels));
  expect(seen[0]).toBeCloseTo(0.5 * tf.mean(wanted).dataSync()[0]!, 5);
  expect(
    () => new Trainer({ model, plugins: [distillation({ teacher: twoInputs(['ids', 'mask']) })] }),
  ).toThrow(
    'distillation: the teacher wants the inputs ids, mask, the model has ids, types; give a teacher that needs no others.',
  );
});

test('other classes and shared weights are refused', () => {
  const model = network(7);
  expect(() => new Trainer({ model, plugins: [distillation({ teacher: network(1, 3) })] })).toThrow(
    'distillation: the teacher gives 3 outputs a row, the model 2; they must be the same ones.',
  );
  expect(() => new Trainer({ model, plugins: [distillation({ teacher: model })] })).toThrow(
    /^distillation: the teacher shares the weight '.*' with the model; give one with weights of its own\.$/,
  );
});

test.each([
  [
    {},
    'distillation: teacher must be a tf.LayersModel, or for the command the folder of one, got undefined.',
  ],
  [
    { teacher: 7 },
    'distillation: teacher must be a tf.LayersModel, or for the command the folder of one, got 7.',
  ],
  [{ teecher: 1 }, "distillation: unknown option 'teecher'"],
  [{ temperature: 0 }, 'distillation: temperature must be a finite number > 0, got 0.'],
  [{ weight: 2 }, 'distillation: weight must be a finite number >= 0 and <= 1, got 2.'],
])('%o is refused by name', (given, message) => {
  expect(() => distillation.create(given)).toThrow(message);
});
