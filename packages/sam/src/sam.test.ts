import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import { tensorData, Trainer, type Plugin } from '@hypetune/core';
import { expect, test } from 'vitest';
import { adaptiveOffsets, batchPart, offsets, runningMean, sam, surrogateGradient } from './index.js';

const gradients = { a: tf.tensor1d([3, 0]), b: tf.tensor2d([[4]]) };
const read = (values: Readonly<Record<string, tf.Tensor>>): number[] =>
  Object.values(values).flatMap((value) => Array.from(value.dataSync()));
const near = (got: number[], wanted: number[]): void => {
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
};

test('offsets: rho times the gradient over the norm of all of them (3, 4 -> 5)', () => {
  near(read(offsets(gradients, 0.05)), [0.03, 0, 0.04]);
});

test('offsets: a zero gradient moves nothing', () => {
  near(read(offsets({ a: tf.zeros([2]) }, 0.05)), [0, 0]);
});

test('adaptiveOffsets: T squared times g over the norm of T g, T = 1 where there is no size', () => {
  // T g = (6, 0, 8), norm 10; e = .5 / 10 * T * (6, 0, 8)
  const sizes = { a: tf.tensor1d([2, 5]), b: tf.tensor2d([[2]]) };
  near(read(adaptiveOffsets(gradients, sizes, 0.5)), [0.6, 0, 0.8]);
  // T g = (3, 0, 4) with the second tensor's own size left out of (3, 0, 4 * 1): norm 5
  near(read(adaptiveOffsets(gradients, { a: tf.onesLike(gradients.a) }, 0.5)), [0.3, 0, 0.4]);
});

test('surrogateGradient: the part of g across g there is climbed', () => {
  // g there = (0, 0, 2): of g = (3, 0, 4) the part across it is (3, 0, 0)
  const there = { a: tf.tensor1d([0, 0]), b: tf.tensor2d([[2]]) };
  near(read(surrogateGradient(gradients, there, 0.5)), [-1.5, 0, 2]);
  near(read(surrogateGradient(gradients, there, 0)), [0, 0, 2]);
  near(read(surrogateGradient(gradients, { a: tf.zeros([2]), b: tf.zeros([1, 1]) }, 1)), [-3, 0, -4]);
});

test('batchPart and runningMean: what the batch adds to the mean of those before it', () => {
  const [g, m] = [tf.tensor1d([3, 1]), tf.tensor1d([1, 2])];
  near(Array.from(batchPart(g, m, 0.5).dataSync()), [2.5, 0]);
  near(Array.from(runningMean(m, g, 0.75).dataSync()), [1.5, 1.75]);
  near(Array.from(runningMean(m, g, 0).dataSync()), [3, 1]);
});

test('options: defaults and errors', () => {
  expect(sam().options).toEqual({ variant: 'sam', eta: 0.01, alpha: 0.4, sigma: 1, lambda: 0.9 });
  expect(() => sam({ radius: -0.1 })).toThrow('sam: radius must be a finite number >= 0, got -0.1.');
  expect(() => sam.create({ variant: 'esam' })).toThrow(
    "sam: variant must be one of 'sam', 'asam', 'gsam', 'friendly', got 'esam'.",
  );
  expect(() => sam.create({ rho: 1 })).toThrow("sam: unknown option 'rho'; it has 'variant', 'radius'");
});

test("Friendly SAM: the first gradient of a weight that a later phase trains is its own mean, as a run's first is", async () => {
  const lengths: number[] = [];
  const late: Plugin = {
    name: 'late',
    apply: (host) => {
      host.addPhases(() => [2]);
      host.hooks.shouldTrain.tap('late', ({ name }, { step }) =>
        step < 2 && name.startsWith('late') ? false : undefined,
      );
      host.hooks.afterWeightRead.tap('late', (weight, parameter) => {
        if (parameter.name === 'late.kernel')
          lengths.push(tf.norm(tf.sub(weight, host.value(parameter))).dataSync()[0]!);
        return weight;
      });
    },
  };
  const kernel = (seed: number): ReturnType<typeof initializers.glorotUniform> =>
    initializers.glorotUniform({ seed });
  const model = sequential({
    layers: [
      // Without a bias the kernel's shift is the whole of the radius, whatever the weights are.
      layers.dense({ units: 3, inputShape: [2], name: 'late', useBias: false, kernelInitializer: kernel(1) }),
      layers.dense({ units: 2, name: 'head', kernelInitializer: kernel(2) }),
    ],
  });
  const plugins = [sam({ variant: 'friendly', radius: 0.05 }), late];
  // The same rows at every step and weights that stay: every gradient is the mean of those before it.
  const trainer = new Trainer({ model, plugins, steps: 3, compile: false, optimizer: { learningRate: 0 } });
  await trainer.fit(tensorData(tf.tensor2d([[1, 2], [3, -1]]), [0, 1])); // prettier-ignore
  const shifted = lengths.filter((_, place) => place % 2 === 1);
  expect(shifted).toEqual([0, expect.closeTo(0.05, 3), expect.closeTo(0, 6)]);
});
