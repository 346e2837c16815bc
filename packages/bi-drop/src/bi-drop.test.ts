import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers';
import {
  BACKWARD_STAGE,
  GRADIENT_STAGE,
  tensorData,
  Trainer,
  type Gradients,
  type Plugin,
} from '@hypetune/core';
import { expect, test } from 'vitest';
import { average, biDrop, importance, selected, threshold } from './index.js';

const near = (tensor: tf.Tensor, wanted: number[], digits = 6): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, digits);
  });
};

test('importance: agreement of the draws and size beside the weight, by hand', () => {
  // mu = (3, 2, 0, 1); spread = sqrt(0 + 0), sqrt(2^2 + 2^2), ..; |w| = 3, 2, 1, 3
  const gradients = [tf.tensor1d([3, 4, 1, 1]), tf.tensor1d([3, 0, -1, 1])];
  const mean = average(gradients.map((g) => ({ w: g })))['w']!;
  near(mean, [3, 2, 0, 1]);
  const value = tf.tensor1d([-3, 2, 1, 3]);
  // P / (1 + P) = 1, 2 / (2 + sqrt 8), 0, 1; S / (1 + S) = 1/2, 1/2, 0, 1/4
  near(importance(gradients, mean, value), [0.75, (2 / (2 + Math.sqrt(8)) + 0.5) / 2, 0, 0.625]);
});

test('a weight without a gradient has no importance', () => {
  near(importance([tf.tensor1d([0])], tf.tensor1d([0]), tf.tensor1d([0])), [0]);
});

test('threshold: the share of all entries above zero, over all tensors', () => {
  const tensors = [tf.tensor2d([[0.1, 0.2], [0.3, 0]]), tf.tensor1d([0.4, 0, 0])]; // prettier-ignore
  near(threshold(tensors, 0.5), [0.3]);
  near(threshold(tensors, 0.25), [0.4]);
  near(threshold(tensors, 1), [0.1]);
});

test('threshold: finds the quantile of many numbers', () => {
  const values = tf.reshape(tf.div(tf.range(1, 1001), 1000), [10, 100]);
  const lowest = threshold([values], 0.3);
  near(tf.sum(selected(tf.onesLike(values), values, lowest)), [300]);
  near(lowest, [0.701], 3);
});

const start = (seed: number): ReturnType<typeof initializers.randomUniform> =>
  initializers.randomUniform({ minval: -0.5, maxval: 0.5, seed });

/** Every gradient that Bi-Drop asked for in one step, and the one that it made of them. */
async function observed(
  plugin: Plugin,
  rate: number,
): Promise<{ asked: Gradients[]; made: Gradients; warnings: string[] }> {
  const model = sequential({
    layers: [
      layers.dense({ units: 6, activation: 'tanh', inputShape: [3], kernelInitializer: start(1) }),
      layers.dropout({ rate }),
      layers.dense({ units: 2, kernelInitializer: start(2) }),
    ],
  });
  const asked: Gradients[] = [];
  const warnings: string[] = [];
  let made: Gradients = {};
  const keep = (gradients: Gradients): Gradients =>
    Object.fromEntries(Object.entries(gradients).map(([name, g]) => [name, tf.keep(tf.clone(g))]));
  const spy: Plugin = {
    name: 'spy',
    apply: ({ hooks }) => {
      hooks.aroundBackward.tap({ name: 'spy', stage: BACKWARD_STAGE.MULTISTEP }, (gradient) => (options) => {
        const result = gradient(options);
        asked.push(keep(result.gradients));
        return result;
      });
      hooks.afterBackward.tap({ name: 'spy', stage: GRADIENT_STAGE.UNSCALE }, (gradients) => {
        made = keep(gradients);
        return gradients;
      });
    },
  };
  const trainer = new Trainer({
    ...{ model, plugins: [plugin, spy], steps: 1, compile: false },
    onWarning: (line) => warnings.push(line),
  });
  await trainer.fit(tensorData(tf.randomUniform([8, 3], -1, 1, 'float32', 3), [0, 1, 0, 1, 0, 1, 0, 1]));
  model.dispose();
  return { asked, made, warnings };
}

const flat = (gradients: Gradients): number[] =>
  Object.values(gradients).flatMap((g) => Array.from(g.dataSync()));

test('each draw has its own dropout, and what is kept is their mean, a half of it', async () => {
  const { asked, made, warnings } = await observed(biDrop({ draws: 3, reserve: 0.5 }), 0.5);
  expect(asked).toHaveLength(3);
  expect(new Set(asked.map((gradients) => flat(gradients).join())).size).toBe(3);
  const mean = flat(average(asked));
  const kept = flat(made);
  kept.forEach((value, i) => {
    expect(value === 0 || value === mean[i]).toBe(true);
  });
  const some = mean.filter((value) => value !== 0).length;
  expect(kept.filter((value) => value !== 0).length).toBe(Math.ceil(some / 2));
  expect(warnings).toEqual([]);
});

test('with the whole share it is the mean of the draws', async () => {
  const { asked, made } = await observed(biDrop({ reserve: 1 }), 0.5);
  expect(flat(made)).toEqual(flat(average(asked)));
});

test('a model without dropout is warned of', () => {
  const model = sequential({ layers: [layers.dense({ units: 2, inputShape: [3] })] });
  const warnings: string[] = [];
  new Trainer({ model, plugins: [biDrop()], onWarning: (line) => warnings.push(line) });
  expect(warnings.join()).toContain('bi-drop: there is no dropout');
  model.dispose();
});

test.each([
  [{ draws: 0 }, 'bi-drop: draws must be an integer >= 1, got 0.'],
  [{ reserve: 0 }, 'bi-drop: reserve must be a finite number > 0 and <= 1, got 0.'],
  [{ p: 1 }, "bi-drop: unknown option 'p'; it has 'draws', 'reserve'."],
])('%o is refused by name', (options, message) => {
  expect(() => biDrop.create(options)).toThrow(message);
});
