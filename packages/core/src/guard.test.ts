import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { tensorData } from './data/tensor-data.js';
import type { TrainerHooks } from './hooks.js';
import type { Plugin, PluginHost } from './plugin.js';
import { Trainer } from './trainer.js';

const start = (seed: number): ReturnType<typeof initializers.randomUniform> =>
  initializers.randomUniform({ minval: -0.5, maxval: 0.5, seed });
const network = (): LayersModel =>
  sequential({
    layers: [
      layers.dense({ name: 'first', units: 4, inputShape: [3], kernelInitializer: start(1) }),
      layers.dense({ name: 'head', units: 2, kernelInitializer: start(2) }),
    ],
  });

/** Trains two steps with a plugin named `mine` that taps one hook. */
async function train(hook: keyof TrainerHooks, tap: (...values: never[]) => unknown): Promise<void> {
  const model = network();
  const data = tensorData(tf.ones([4, 3]), [0, 1, 0, 1]);
  const apply = ({ hooks }: PluginHost): void => {
    (hooks[hook] as unknown as { tap: (name: string, f: unknown) => void }).tap('mine', tap);
  };
  try {
    await new Trainer({ model, plugins: [{ name: 'mine', apply }], steps: 2 }).fit(data);
  } finally {
    model.dispose();
  }
}

type Case = readonly [string, keyof TrainerHooks, (...values: never[]) => unknown, string];

let stored: tf.Tensor | undefined;
const mistakes: readonly Case[] = [
  [
    'a forgotten return',
    'beforeLayerForward',
    () => undefined,
    '"mine" returned undefined from beforeLayerForward; it must return a float32 tensor of shape [4, 3], as the one it was given.',
  ],
  [
    'another shape',
    'afterLayerForward',
    (hidden: tf.Tensor) => tf.sum(hidden),
    '"mine" returned a float32 tensor of shape [] from afterLayerForward; it must return a float32 tensor of shape [4, 4]',
  ],
  [
    'an error of its own',
    'afterLoss',
    () => {
      throw new Error('mine alone');
    },
    '"mine" threw in afterLoss: mine alone',
  ],
  [
    'a number as a loss term',
    'afterLoss',
    (terms: object) => ({ ...terms, mine: 0.5 }),
    `"mine" returned terms in which 'mine' is 0.5 from afterLoss; it must return every term it was given and its own, each a scalar tensor`,
  ],
  [
    'a vector as a loss term',
    'afterLoss',
    (terms: object) => ({ ...terms, mine: tf.ones([4]) }),
    "terms in which 'mine' is a float32 tensor of shape [4] from afterLoss",
  ],
  ['a term dropped', 'afterLoss', () => ({}), `"mine" returned terms without 'task' from afterLoss`],
  [
    'a read inside a step',
    'afterLoss',
    (terms: { task: tf.Scalar }) => {
      terms.task.dataSync();
      return terms;
    },
    `"mine" read a tensor's values in afterLoss; inside a step there are none yet.`,
  ],
  [
    'a gradient dropped',
    'afterBackward',
    (gradients: object) => Object.fromEntries(Object.entries(gradients).slice(1)),
    `"mine" returned a record without 'first.kernel' from afterBackward`,
  ],
  [
    'a gradient of another shape',
    'beforeUpdate',
    (updates: object) => ({ ...updates, 'head.bias': tf.ones([3]) }),
    `"mine" returned a float32 tensor of shape [3] for 'head.bias' from beforeUpdate; it must return a float32 tensor of shape [2]`,
  ],
  [
    'a Promise',
    'afterWeightRead',
    (weight: tf.Tensor) => Promise.resolve(weight),
    '"mine" returned a Promise from afterWeightRead; taps there must be synchronous',
  ],
  [
    'a tensor of an earlier step',
    'beforeLayerForward',
    (hidden: tf.Tensor) => (stored ??= tf.add(hidden, 0)),
    '"mine" returned a tensor that was disposed from beforeLayerForward; it must return one of this step; what outlives',
  ],
  ['no function', 'aroundUpdate', () => 3, '"mine" returned 3 from aroundUpdate; it must return a function'],
  [
    'a rate that is none',
    'afterSchedule',
    () => NaN,
    '"mine" returned NaN from afterSchedule; it must return a finite',
  ],
  [
    'no decision',
    'shouldTrain',
    () => 'no',
    `"mine" returned 'no' from shouldTrain; it must return true, false`,
  ],
  ['no weights', 'beforeEvaluation', () => new Map(), `a map without 'first.kernel' from beforeEvaluation`],
];

test.each(mistakes)(
  '%s in %s names plugin, hook, what came and what was wanted',
  async (_, hook, tap, message) => {
    await expect(train(hook, tap)).rejects.toThrow(message);
  },
);

test("a stored tensor that a weight tap returns stays the plugin's", async () => {
  const model = network();
  const plugin: Plugin = {
    name: 'stored',
    apply: ({ hooks, tensors, parameters, value }) => {
      hooks.onFitStart.tap('stored', () => {
        for (const parameter of parameters) tensors.set(parameter.name, tf.mul(value(parameter), 2));
      });
      hooks.afterWeightRead.tap('stored', (_, parameter) => tensors.get(parameter.name)!);
    },
  };
  const { steps } = await new Trainer({ model, plugins: [plugin], steps: 3 }).fit(
    tensorData(tf.ones([4, 3]), [0, 1, 0, 1]),
  );
  expect(steps).toBe(3);
  model.dispose();
});

class Mine {
  readonly name = 'mine';
  apply(): void {}
}
test.each([
  [Mine, 'plugins[0] is a class; give a plugin: new Mine().'],
  [{ apply: () => undefined }, 'plugins[0] must be a plugin, an object with a name and apply(host)'],
  [undefined, 'plugins[0] must be a plugin, an object with a name and apply(host), got undefined.'],
])('%s is no plugin', (plugin, message) => {
  expect(() => new Trainer({ model: network(), plugins: [plugin as never] })).toThrow(message);
});

test('asking for a hook that is not there names those that are', () => {
  const plugin: Plugin = {
    name: 'mine',
    apply: ({ hooks }) => {
      (hooks as unknown as Record<string, { tap: () => void }>)['afterForward']!.tap();
    },
  };
  expect(() => new Trainer({ model: network(), plugins: [plugin] })).toThrow(
    "there is no hook 'afterForward'; there are afterLoad, shouldTrain,",
  );
});
