import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { listParameters, movedAverage, type Plugin } from '@hypetune/core';
import { layerDecay } from '@hypetune/layer-decay';
import { expect, test } from 'vitest';
import { buildData, buildModel } from '../../../test/support/models.js';
import { expectResumable } from '../../../test/support/resumed.js';
import { makeTrainer, train } from '../../../test/support/training.js';
import { cyclicRate, shareAt, swa } from './index.js';

test('an equal average by shares 1, 1/2, 1/3, ... (V1)', () => {
  expect([-1, 0, 1, 2, 3, 4, 5, 6].map((since) => shareAt(since, 2))).toEqual([
    1,
    1,
    0,
    1 / 2,
    0,
    1 / 3,
    0,
    1 / 4,
  ]);
  const values = [9, 3, 6, 100, 0];
  const average = values.reduce<tf.Tensor>(
    (mean, value, place) =>
      movedAverage(mean, tf.tensor1d([value]), tf.scalar([1, 1, 1 / 2, 0, 1 / 3][place]!)),
    tf.tensor1d([5]),
  );
  expect(average.dataSync()[0]).toBeCloseTo(3, 6);
});

test('a cycle falls from peak to the low rate (V1)', () => {
  expect([1, 2, 3, 4, 5].map((since) => cyclicRate(since, 4, 1, 0))).toEqual([0.75, 0.5, 0.25, 0, 0.75]);
  expect([1, 2].map((since) => cyclicRate(since, 1, 0.3, 0.3))).toEqual([0.3, 0.3]);
});

async function run(
  options: Parameters<typeof swa>[0],
): Promise<{ history: number[][]; left: number[]; rates: number[]; warnings: string[] }> {
  const model = buildModel('features');
  const { data, dispose } = buildData('features');
  const warnings: string[] = [];
  const trainer = makeTrainer(model, [swa(options)], {
    batchSize: 4,
    steps: 8,
    onWarning: (line) => warnings.push(line),
  });
  const { variable, ...parameter } = listParameters(model)[0]!;
  const history: number[][] = [];
  const rates: number[] = [];
  trainer.hooks.onUpdate.tap('test', (step) => {
    rates.push(step.learningRate(parameter as never));
  });
  trainer.hooks.onStep.tap('test', () => history.push(Array.from(variable.dataSync())));
  await trainer.fit(data);
  const left = Array.from(variable.dataSync());
  dispose();
  model.dispose();
  return { history, left, rates, warnings };
}

test.each([
  [{ start: 0.5, every: 2 as const }, [3, 5, 7]],
  // Two steps an epoch.
  [{ start: 0.25 }, [1, 3, 5, 7]],
])('%o averages the weights after steps %o, from 0', async (options, places) => {
  const { history, left, warnings } = await run(options);
  for (const [entry, value] of left.entries()) {
    const mean = places.reduce((sum, place) => sum + history[place]![entry]!, 0) / places.length;
    expect(value).toBeCloseTo(mean, 6);
  }
  expect(warnings).toEqual([]);
});

test('rates: the schedule until the start, then its own', async () => {
  const near = (got: number[], wanted: number[]): void => {
    for (const [place, rate] of wanted.entries()) expect(got[place]).toBeCloseTo(rate, 9);
  };
  near(
    (await run({ start: 0.5, every: 2, learningRate: 0.003 })).rates,
    [0.01, 0.01, 0.01, 0.01, 0.003, 0.003],
  );
  const cyclic = await run({ start: 0.5, every: 2, learningRate: 0.002, peak: 0.006 });
  near(cyclic.rates, [0.01, 0.01, 0.01, 0.01, 0.004, 0.002, 0.004, 0.002]);
});

test('layer-wise decay scales its rate, in any order, where the schedule is at 0 too', async () => {
  const rates = async (plugins: readonly Plugin[]): Promise<number[]> => {
    const model = buildModel('bert');
    const { data, dispose } = buildData('bert');
    const trainer = makeTrainer(model, plugins, { steps: 4, schedule: { warmup: 2 } });
    const lower = listParameters(model).find(({ layer }) => layer === 0)!;
    const seen: number[] = [];
    trainer.hooks.onUpdate.tap('test', (step) => {
      seen.push(step.learningRate(lower) / step.learningRate(listParameters(model).at(-1)));
    });
    await trainer.fit(data);
    dispose();
    model.dispose();
    return seen;
  };
  const ours = swa({ start: 0, every: 1, learningRate: 0.01 });
  const decay = layerDecay({ decay: 0.5 });
  const wanted = await rates([ours, decay]);
  expect(await rates([decay, ours])).toEqual(wanted);
  expect(new Set(wanted).size).toBe(1);
  expect(wanted[0]).toBeLessThan(1);
});

test('a run too short for an average says so', async () => {
  const { warnings } = await run({ start: 0.75, every: 5 });
  expect(warnings).toEqual([
    'swa: the run ends 2 updates after start 0.75, before the first 5 have passed; nothing is averaged. Lower every or start.',
  ]);
});

test('start 1 is plain training to the last bit; training never sees the average', async () => {
  const plain = await train('bert', []);
  expect(await train('bert', [swa({ start: 1 })])).toEqual(plain);
  expect((await train('bert', [swa({ start: 0.25, every: 1 })])).losses).toEqual(plain.losses);
});

test('resumes, repeats itself, leaves no tensor', () =>
  expectResumable('features', () => [swa({ start: 0.2, every: 2, learningRate: 0.02 })]));

test.each([
  [{ every: 0 }, "swa: every must be 'epoch' or an integer >= 1, got 0."],
  [{ peak: 1 }, 'swa: peak is where a cycle begins; give learningRate, where it ends, too.'],
])('%o is refused by name', (options, message) => {
  expect(() => swa(options)).toThrow(message);
});
