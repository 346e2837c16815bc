import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { childTuning } from '@hypetune/child-tuning';
import { GRADIENT_STAGE, tensorData, Trainer, type Plugin } from '@hypetune/core';
import { recadam } from '@hypetune/recadam';
import { expect, test, vi } from 'vitest';
import { expectClose, fixture, injected, tensor, type Nested, type Tensors } from './harness.js';

vi.mock('@hypetune/ops', async (original) => ({
  ...(await original<object>()),
  randomBernoulli: () => injected.shift(),
}));

interface Problem {
  optimizer: { learningRate: number; beta1: number; beta2: number; epsilon: number; weightDecay: number };
  start: Tensors;
  gradients: Tensors[];
}

function twoLayers(start: Tensors): LayersModel {
  const model = sequential({
    layers: [
      layers.dense({ name: 'hidden', units: 3, inputShape: [2] }),
      layers.dense({ name: 'head', units: 2 }),
    ],
  });
  for (const variable of model.weights) variable.write(tensor(start[variable.originalName]!));
  return model;
}

/** Trains with the fixture's gradients in place of the model's own; `check` is given the weights after every step. */
async function follow(
  { optimizer, start, gradients }: Problem,
  plugin: Plugin,
  check: (weights: Readonly<Record<string, tf.Tensor>>, step: number) => void,
): Promise<void> {
  const model = twoLayers(start);
  const inject: Plugin = {
    name: 'inject',
    apply({ hooks }) {
      hooks.afterBackward.tap({ name: 'inject', stage: GRADIENT_STAGE.UNSCALE }, (computed, step) =>
        Object.fromEntries(
          Object.keys(computed).map((name) => [
            name,
            tensor(gradients[step.index - 1]![name.replace('.', '/')]!),
          ]),
        ),
      );
      hooks.onStep.tap('inject', ({ step }) => {
        check(Object.fromEntries(model.weights.map((weight) => [weight.originalName, weight.read()])), step);
      });
    },
  };
  const trainer = new Trainer({
    model,
    plugins: [plugin, inject],
    optimizer: { ...optimizer, epsilonMode: 'hf' },
    schedule: { warmup: 0, decay: 'constant' },
    clipNorm: 0,
    steps: gradients.length,
    batchSize: 2,
  });
  await trainer.fit(tensorData(tf.ones([4, 2]), [0, 1, 0, 1]));
}

function expectWeights(weights: Readonly<Record<string, tf.Tensor>>, wanted: Tensors): void {
  expect(Object.keys(weights)).toEqual(Object.keys(wanted));
  for (const [name, values] of Object.entries(wanted)) expectClose(weights[name]!, values);
}

interface ChildTuningFixture extends Problem {
  reserve: number;
  masks: Tensors[];
  F: Tensors[];
  D: Tensors[];
  fisher: {
    reserve: number;
    clip: number;
    inputs: number[][];
    labels: number[];
    weights: Tensors;
    masks: Readonly<Record<string, Nested>>;
  };
}
const published = fixture<ChildTuningFixture>('child-tuning');

test('ChildTuningAdamW, mode F, with injected masks', async () => {
  const { masks, reserve, start } = published;
  for (const mask of masks) injected.push(...Object.keys(start).map((name) => tensor(mask[name]!)));
  const steps: number[] = [];
  await follow(published, childTuning({ mode: 'F', reserve }), (weights, step) => {
    steps.push(step);
    expectWeights(weights, published.F[step - 1]!);
  });
  expect(steps).toEqual([1, 2, 3]);
  expect(injected).toHaveLength(0);
});

/** Names of the two files' weights: `layer_0.weight` [out, in] is `layer_0.kernel` [in, out]. */
const renamed = (name: string): string => name.replace('weight', 'kernel');
const turned = (name: string, values: Nested): tf.Tensor =>
  name.endsWith('weight') ? tf.transpose(tensor(values)) : tensor(values);

test('ChildTuningAdamW, mode D, with an injected mask', async () => {
  const { masks, reserve } = published;
  const plugin = childTuning({ mode: 'D', reserve });
  const injecting: Plugin = {
    name: plugin.name,
    apply(host) {
      plugin.apply(host);
      host.hooks.onFitStart.tap('inject', () => {
        for (const name of host.tensors.names())
          host.tensors.set(name, tensor(masks[0]![name.replace('.', '/')]!));
      });
    },
  };
  const steps: number[] = [];
  await follow(published, injecting, (weights, step) => {
    steps.push(step);
    expectWeights(weights, published.D[step - 1]!);
  });
  expect(steps).toEqual([1, 2, 3]);
});

test('calculate_fisher chooses the same weights', async () => {
  const { reserve, clip, inputs, labels, weights, masks } = published.fisher;
  const model = sequential({
    layers: [
      layers.dense({ name: 'layer_0', units: 4, activation: 'tanh', inputShape: [3] }),
      layers.dense({ name: 'layer_1', units: 4, activation: 'tanh' }),
      layers.dense({ name: 'classifier', units: 2 }),
    ],
  });
  const values = new Map(
    Object.entries(weights).map(([name, value]) => [renamed(name), turned(name, value)]),
  );
  for (const weight of model.weights) weight.write(values.get(weight.originalName.replace('/', '.'))!);
  const chosen: Record<string, tf.Tensor> = {};
  const plugin = childTuning({ mode: 'D', reserve, fisherClip: clip });
  const spy: Plugin = {
    name: plugin.name,
    apply(host) {
      plugin.apply(host);
      host.hooks.onFitStart.tap('spy', () => {
        for (const name of host.tensors.names()) chosen[name] = tf.keep(tf.clone(host.tensors.get(name)!));
      });
    },
  };
  const trainer = new Trainer({ model, plugins: [spy], steps: 1, batchSize: 1 });
  await trainer.fit(tensorData(tf.tensor2d(inputs), labels));
  expect(Object.keys(chosen).sort()).toEqual(Object.keys(masks).map(renamed).sort());
  for (const [name, mask] of Object.entries(masks))
    expect(Array.from(chosen[renamed(name)]!.dataSync())).toEqual(
      Array.from(tf.cast(turned(name, mask), 'float32').dataSync()),
    );
});

interface RecAdamFixture extends Problem {
  rate: number;
  midpoint: number;
  pull: number;
  weights: Readonly<Record<'sigmoid' | 'linear' | 'constant', Tensors[]>>;
}
const recAdam = fixture<RecAdamFixture>('recadam');

test.each(['sigmoid', 'linear', 'constant'] as const)(
  'RecAdam, %s annealing, head unpulled',
  async (annealing) => {
    const { rate, midpoint, pull, weights: wanted } = recAdam;
    const steps: number[] = [];
    await follow(recAdam, recadam({ annealing, rate, midpoint, pull }), (weights, step) => {
      steps.push(step);
      expectWeights(weights, wanted[annealing][step - 1]!);
    });
    expect(steps).toEqual([1, 2, 3, 4]);
  },
);
