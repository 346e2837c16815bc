import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { GRADIENT_STAGE, type Plugin, type Snapshot } from '@hypetune/core';
import { expect, test } from 'vitest';
import { buildData, buildModel } from '../../../test/support/models.js';
import { makeTrainer, train } from '../../../test/support/training.js';
import { childTuning, fisherMask, quantile, squaredGradient, thinned } from './index.js';

const near = (tensor: tf.Tensor, wanted: number[], digits = 6): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, digits);
  });
};

test('gradients masked and rescaled, over two steps of AdamW in its older convention (V5)', () => {
  const run = (masks: number[][], factor: number): number[][] => {
    const [rate, beta1, beta2, epsilon, decay] = [0.1, 0.9, 0.999, 1e-2, 0.01];
    const gradients = [
      [0.1, -0.3],
      [0.2, 0.1],
    ];
    let [p, m, v] = [
      [1, -2],
      [0, 0],
      [0, 0],
    ];
    return gradients.map((gradient, i) => {
      const g = Array.from(thinned(tf.tensor1d(gradient), tf.tensor1d(masks[i]!), factor).dataSync());
      m = m.map((x, j) => beta1 * x + (1 - beta1) * g[j]!);
      v = v.map((x, j) => beta2 * x + (1 - beta2) * g[j]! ** 2);
      const size = (rate * Math.sqrt(1 - beta2 ** (i + 1))) / (1 - beta1 ** (i + 1));
      p = p.map((x, j) => (x - (size * m[j]!) / (Math.sqrt(v[j]!) + epsilon)) * (1 - rate * decay));
      return p;
    });
  };
  const random = run(
    [
      [1, 0],
      [0, 1],
    ],
    1 / 0.3,
  );
  near(tf.tensor(random.flat()), [0.94773461, -1.998, 0.91244445, -2.03415046]);
  const fixed = run(
    [
      [1, 0],
      [1, 0],
    ],
    1,
  );
  near(tf.tensor(fixed.flat()), [0.97499872, -1.998, 0.93408689, -1.996002]);
});

test('the share with the highest Fisher information is selected (V5)', () => {
  const a = Float32Array.of(0.1, 0.2, 0.3, 0.4);
  const b = Float32Array.of(0.5, 0.6);
  const threshold = quantile([a, b], 0.7);
  expect(threshold).toBeCloseTo(0.45, 6);
  near(fisherMask(tf.tensor1d(a), threshold), [0, 0, 0, 0]);
  near(fisherMask(tf.tensor1d(b), threshold), [1, 1]);
});

test('ties are selected, all of them (V5)', () => {
  const fisher = Float32Array.of(0, 0, 0, 0, 0, 0.6);
  expect(quantile([fisher], 0.7)).toBe(0);
  near(fisherMask(tf.tensor1d(fisher), 0), [1, 1, 1, 1, 1, 1]);
});

test('the Fisher pass cuts the gradient of each tensor (V5)', () => {
  const batches = [tf.tensor1d([3, 4]), tf.tensor1d([0.3, 0.4])].map((gradient) =>
    squaredGradient(gradient, 1),
  );
  near(tf.div(tf.addN(batches), 2), [0.2249999, 0.3999999]);
  near(squaredGradient(tf.tensor1d([3, 4]), 0), [9, 16]);
});

test('a longer run masks what the run that it resumes never trained, too (D)', async () => {
  const late: Plugin = {
    name: 'late',
    apply: ({ hooks, addPhases }) => {
      addPhases(() => [4]);
      hooks.shouldTrain.tap('late', ({ layer }, { step }) => (layer === 0 && step < 4 ? false : undefined));
    },
  };
  /** The share of the first layer's weights that learn. */
  const learning: number[] = [];
  const watch: Plugin = {
    name: 'watch',
    apply: ({ hooks, layers }) => {
      hooks.afterBackward.tap({ name: 'watch', stage: GRADIENT_STAGE.MASK + 1 }, (gradients) => {
        const own = Object.entries(gradients).filter(([name]) => name.startsWith(layers[0]!.name));
        const values = own.flatMap(([, gradient]) => Array.from(gradient.dataSync()));
        if (own.length > 0) learning.push(values.filter((value) => value !== 0).length / values.length);
        return gradients;
      });
    },
  };
  const plugins = (): Plugin[] => [childTuning({ reserve: 0.3 }), late, watch];
  const options = { batchSize: 8, compile: false, steps: 2 } as const;
  const model = buildModel('bert');
  const { data, dispose } = buildData('bert');
  const short = makeTrainer(model, plugins(), options);
  let resume: Snapshot | undefined;
  short.hooks.onFitEnd.tapPromise('test', async () => {
    resume = await short.snapshot();
  });
  await short.fit(data);
  model.dispose();
  dispose();
  expect(learning).toEqual([]);
  await train('bert', plugins(), { ...options, steps: 5 }, { resume: resume! });
  expect(learning).toHaveLength(2);
  for (const share of learning) expect(share).toBeCloseTo(0.3, 1);
});

test.each([
  [{ mode: 'E' }, "child-tuning: mode must be one of 'F', 'D', got 'E'."],
  [{ reserve: 0 }, 'child-tuning: reserve must be a finite number > 0 and <= 1, got 0.'],
  [{ rescale: 'yes' }, "child-tuning: rescale must be true or false, got 'yes'."],
  [{ fisherClip: -1 }, 'child-tuning: fisherClip must be a finite number >= 0, got -1.'],
  [{ p: 0.3 }, "child-tuning: unknown option 'p'"],
])('%o is refused by name', (options, message) => {
  expect(() => childTuning.create(options)).toThrow(message);
});
