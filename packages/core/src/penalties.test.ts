import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  input,
  layers,
  model,
  regularizers,
  sequential,
  type LayersModel,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { beforeEach, expect, test } from 'vitest';
import { tensorData, Trainer } from './index.js';
import { declaredPenalties } from './penalties.js';
import type { AnyLayer } from './sites.js';

/** The sum of the squares of a kernel of ones, so their number. */
const kernel = { kernelInitializer: 'ones', kernelRegularizer: regularizers.l2({ l2: 1 }) } as const;
const dense = (): AnyLayer => layers.dense({ units: 1, ...kernel, inputShape: [2] });
const one = (layer: AnyLayer): LayersModel => sequential({ layers: [layer] });

/** A model of two inputs that one layer, or model, reads. */
function siamese(shared: AnyLayer): LayersModel {
  const inputs = [input({ shape: [2] }), input({ shape: [2] })];
  const outputs = layers.add().apply(inputs.map((each) => shared.apply(each) as SymbolicTensor));
  return model({ inputs, outputs: outputs as SymbolicTensor });
}

/** Holds a layer, and has a penalty of its own. */
class Own extends layers.Layer {
  static className = 'Own';
  readonly inner = dense();
  override build(inputShape: number[]): void {
    this.inner.build(inputShape);
    this.trainableWeights = this.inner.trainableWeights;
    super.build(inputShape);
  }
  override computeOutputShape(inputShape: number[]): number[] {
    return [inputShape[0]!, 1];
  }
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return this.inner.call(inputs, {}) as tf.Tensor;
  }
  override calculateLosses(): tf.Scalar[] {
    return [tf.scalar(100)];
  }
}

/** Refers to a model that it is not made of. */
class Compared extends layers.Layer {
  static className = 'Compared';
  readonly teacher = one(dense());
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return [inputs].flat()[0]!;
  }
}

const CASES: Readonly<Record<string, readonly [penalty: number, build: () => LayersModel]>> = {
  'a layer': [2, () => one(dense())],
  'no penalty': [0, () => one(layers.dense({ units: 1, inputShape: [2] }))],
  'a shared layer, once': [2, () => siamese(dense())],
  'a shared model, once': [2, () => siamese(one(dense()))],
  'a model in a model': [
    3,
    () => sequential({ layers: [one(dense()), layers.dense({ units: 1, ...kernel })] }),
  ],
  'a recurrent layer': [8, () => one(layers.lstm({ units: 1, ...kernel, inputShape: [3, 2] }))],
  'both directions': [
    4,
    () =>
      one(
        layers.bidirectional({
          layer: layers.simpleRNN({ units: 1, ...kernel }),
          mergeMode: 'concat',
          inputShape: [3, 2],
        }),
      ),
  ],
  cells: [
    3,
    () =>
      one(
        layers.rnn({
          cell: [
            layers.simpleRNNCell({ units: 1, ...kernel }),
            layers.simpleRNNCell({ units: 1, ...kernel }),
          ],
          inputShape: [3, 2],
        }),
      ),
  ],
  "a layer's own": [102, () => one(new Own({ inputShape: [2] }))],
  'a model that is only referred to': [0, () => one(new Compared({ inputShape: [2] }))],
  'each step': [2, () => one(layers.timeDistributed({ layer: dense(), inputShape: [3, 2] }))],
};

beforeEach(() => tf.setBackend('cpu'));

test.each(Object.entries(CASES))('%s', (_, [penalty, build]) => {
  const built = build();
  built.predict(built.inputs.map(({ shape }) => tf.zeros([1, ...shape.slice(1).map(Number)])));
  const sum = declaredPenalties(built)()
    .map((scalar) => scalar.dataSync()[0]!)
    .reduce((total, value) => total + value, 0);
  expect(sum).toBe(penalty);
});

test('they are a term of the loss', async () => {
  const lstm = layers.lstm({ units: 2, kernelRegularizer: regularizers.l2({ l2: 0.1 }), inputShape: [3, 2] });
  const model = sequential({ layers: [lstm, layers.dense({ units: 2 })] });
  const trainer = new Trainer({ model, steps: 60, batchSize: 8, seed: 1, optimizer: { learningRate: 0.03 } });
  const terms: number[] = [];
  trainer.hooks.onStep.tap('test', ({ terms: { regularizer } }) => {
    terms.push(regularizer!);
  });
  await trainer.fit(tensorData(tf.zeros([8, 3, 2]), [0, 1, 0, 1, 0, 1, 0, 1]));
  // Nothing but the penalty moves a kernel whose input is zero.
  expect(terms.at(-1)!).toBeLessThan(terms[0]! * 0.1);
});
