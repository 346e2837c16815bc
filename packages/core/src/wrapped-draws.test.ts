import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { defineMethod, tensorData, Trainer } from './index.js';
import type { AnyLayer } from './sites.js';

const kernel = (seed: number): ReturnType<typeof initializers.glorotUniform> =>
  initializers.glorotUniform({ seed });
const start = { units: 3, kernelInitializer: kernel(1), recurrentInitializer: kernel(2) };
const WRAPPED: Readonly<Record<string, (rate: number) => AnyLayer>> = {
  bidirectional: (dropout) =>
    layers.bidirectional({
      layer: layers.lstm({ ...start, dropout }),
      inputShape: [4, 2],
      mergeMode: 'concat',
    }),
  timeDistributed: (rate) => layers.timeDistributed({ layer: layers.dropout({ rate }), inputShape: [4, 2] }),
  'rnn of cells': (dropout) =>
    layers.rnn({ cell: [layers.lstmCell({ ...start, dropout })], inputShape: [4, 2] }),
};

/** Losses of a short run, and whether plugins are told that the model has dropout. */
async function run(wrapped: AnyLayer): Promise<{ losses: number[]; hasDropout: boolean }> {
  const model = sequential({ layers: [wrapped] });
  if (model.outputs[0]!.shape.length > 2) model.add(layers.flatten());
  model.add(layers.dense({ units: 2, kernelInitializer: kernel(3) }));
  let hasDropout = false;
  const asks = defineMethod({
    ...{ name: 'asks', summary: 'Looks at the host.', source: 'a test', cost: 'none', options: {} },
    apply: (host) => {
      hasDropout = host.hasDropout;
    },
  });
  const trainer = new Trainer({ model, steps: 3, batchSize: 8, seed: 1, plugins: [asks()] });
  const losses: number[] = [];
  trainer.hooks.onStep.tap('test', ({ loss }) => {
    losses.push(loss);
  });
  const rows = tf.randomNormal([16, 4, 2], 0, 1, 'float32', 3);
  await trainer.fit(
    tensorData(
      rows,
      Array.from({ length: 16 }, (_, row) => row % 2),
    ),
  );
  return { losses, hasDropout };
}

test.each(Object.keys(WRAPPED))('%s: dropout within is seen, and drawn by the seed', async (name) => {
  const make = WRAPPED[name]!;
  const first = await run(make(0.5));
  expect(first.hasDropout).toBe(true);
  expect((await run(make(0.5))).losses).toEqual(first.losses);
  const without = await run(make(0));
  expect(without.hasDropout).toBe(false);
  expect(without.losses).not.toEqual(first.losses);
});

/** A layer as a user would write it, whose draws core knows nothing of. */
class Blur extends layers.Layer {
  static className = 'Blur';
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const input = Array.isArray(inputs) ? inputs[0]! : inputs;
    return tf.add(tf.dropout(input, 0.5), tf.mul(tf.randomNormal(input.shape), Math.random()));
  }
}

/** The same, which says what it is. */
class DeclaredBlur extends Blur {
  static override className = 'DeclaredBlur';
  readonly hypetune = { site: 'hidden' } as const;
}

test.each([Blur, DeclaredBlur])(
  "what a layer of the user's own draws is drawn by the seed of the run: %o",
  async (Layer) => {
    const losses = async (seed: number): Promise<number[]> => {
      const head = layers.dense({ units: 2, kernelInitializer: kernel(1) });
      const blur = new Layer({ inputShape: [4] });
      const data = tensorData(tf.ones([8, 4]), new Array<number>(8).fill(0));
      const trainer = new Trainer({
        model: sequential({ layers: [blur, head] }),
        steps: 3,
        batchSize: 8,
        seed,
      });
      const seen: number[] = [];
      trainer.hooks.onStep.tap('test', ({ loss }) => {
        seen.push(loss);
      });
      // This one draws in evaluation too.
      trainer.hooks.onEvaluation.tap('test', ({ metrics }) => {
        seen.push(metrics['loss']!);
      });
      await trainer.fit(data);
      return seen;
    };
    const first = await losses(1);
    expect(await losses(1)).toEqual(first);
    expect(await losses(2)).not.toEqual(first);
  },
);

test.each([
  ['of whole features', () => layers.spatialDropout1d({ rate: 0.5, seed: 7, inputShape: [4, 2] })],
  [
    'wrapped',
    () => layers.timeDistributed({ layer: layers.dropout({ rate: 0.5, seed: 7 }), inputShape: [4, 2] }),
  ],
  ['of cells', () => WRAPPED['rnn of cells']!(0.5)],
])(
  'dropout that tfjs draws once, %s, draws anew at each step and by the seed of the run',
  async (_, make) => {
    const lossesOf = async (seed: number): Promise<number[]> => {
      const head = layers.dense({ units: 2, kernelInitializer: kernel(1) });
      const dropping = make();
      const model = sequential({ layers: [dropping] });
      if (model.outputs[0]!.shape.length > 2) model.add(layers.flatten());
      model.add(head);
      const trainer = new Trainer({ model, steps: 3, batchSize: 8, seed, optimizer: { learningRate: 0 } });
      const losses: number[] = [];
      trainer.hooks.onStep.tap('test', ({ loss }) => {
        losses.push(loss);
      });
      // Rows that are all alike: only what is dropped differs.
      await trainer.fit(tensorData(tf.ones([8, 4, 2]), new Array<number>(8).fill(0)));
      return losses;
    };
    const losses = await lossesOf(1);
    expect(new Set(losses).size).toBe(3);
    expect(await lossesOf(1)).toEqual(losses);
    expect(await lossesOf(2)).not.toEqual(losses);
  },
);

test('cells keep nothing of their dropout: not for a smaller batch, nor for predictions, nor as tensors', async () => {
  const make = (): LayersModel =>
    sequential({
      layers: [WRAPPED['rnn of cells']!(0.5), layers.dense({ units: 2, kernelInitializer: kernel(3) })],
    });
  const [model, untouched] = [make(), make()];
  const rows = tf.randomNormal([10, 4, 2], 0, 1, 'float32', 3);
  const expected = await (untouched.predict(rows) as tf.Tensor).data();
  const trainer = new Trainer({ model, epochs: 1, batchSize: 8, seed: 1, optimizer: { learningRate: 0 } });
  const data = tensorData(rows, new Array<number>(10).fill(0));
  await trainer.fit(data);
  expect(await (model.predict(rows) as tf.Tensor).data()).toEqual(expected);
  await trainer.fit(data); // disposes of what `predict` left
  const { numTensors } = tf.memory();
  await trainer.fit(data);
  expect(tf.memory().numTensors).toBe(numTensors);
});

test('outside of a step a layer is as it was', async () => {
  const dropping = layers.timeDistributed({
    layer: layers.dropout({ rate: 0.5, seed: 7 }),
    inputShape: [4, 2],
  });
  const model = sequential({ layers: [dropping, layers.flatten(), layers.dense({ units: 2 })] });
  const drop = (): number[] => [
    ...(dropping.apply(tf.ones([1, 4, 2]), { training: true }) as tf.Tensor).dataSync(),
  ];
  const before = drop();
  const trainer = new Trainer({ model, steps: 1, batchSize: 8 });
  const within: number[][] = [];
  trainer.hooks.onStep.tap('test', () => {
    within.push(drop());
  });
  await trainer.fit(tensorData(tf.ones([8, 4, 2]), new Array<number>(8).fill(0)));
  expect([...within, drop()]).toEqual([before, before]);
});

/** A layer of a user's own that holds dropout. */
class Holder extends layers.Layer {
  static className = 'Holder';
  readonly inner = layers.dropout({ rate: 0.5 });
  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>): tf.Tensor {
    return this.inner.call(inputs, kwargs) as tf.Tensor;
  }
}

test("a rate that does not reach dropout which a user's layer holds is said", () => {
  const warnings: string[] = [];
  const model = sequential({
    layers: [
      new Holder({ inputShape: [4], name: 'holder' }),
      layers.dropout({ rate: 0.1 }),
      layers.dense({ units: 2 }),
    ],
  });
  new Trainer({ model, dropout: { hidden: 0 }, onWarning: (line) => warnings.push(line) });
  expect(warnings).toEqual([expect.stringContaining('does not reach holder')]);
});

test('a rate that does not reach the dropout of a recurrent layer is said', () => {
  const warnings: string[] = [];
  const build = (recurrent: number): void => {
    const model = sequential({
      layers: [
        layers.lstm({ ...start, dropout: recurrent, inputShape: [4, 2], name: 'reader' }),
        layers.dropout({ rate: 0.1 }),
        layers.dense({ units: 2 }),
      ],
    });
    new Trainer({ model, dropout: { hidden: 0 }, onWarning: (line) => warnings.push(line) });
  };
  build(0);
  expect(warnings).toEqual([]);
  build(0.5);
  expect(warnings).toEqual([
    'trainer: the rate of hidden dropout does not reach reader: what draws there has a rate of its own; build the model with the one that is meant.',
  ]);
});
