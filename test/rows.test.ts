import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { tensorData, type Dataset, type Plugin, type TrainerOptions } from '@hypetune/core';
import { cutoff } from '@hypetune/cutoff';
import { freelb } from '@hypetune/freelb';
import { hype } from '@hypetune/hype';
import { lnsr } from '@hypetune/lnsr';
import { neftune } from '@hypetune/neftune';
import { randomNormal, seedKey } from '@hypetune/ops';
import { expect, test } from 'vitest';
import { enginesPresent } from './support/engines.js';
import { buildData, buildModel } from './support/models.js';
import { tokenRows } from './support/token-rows.js';
import { makeTrainer, weightsOf } from './support/training.js';

const engines = (await enginesPresent(['wasm', 'native'])).filter(({ backend }) => backend !== undefined);
/** Every way to run a step here; the first is what the others are compared with. */
const ways = [
  { backend: 'cpu', compile: false },
  ...engines.map(({ backend }) => ({ backend: backend!, compile: false })),
  ...engines
    .filter(({ engine }) => engine === 'native')
    .map(({ backend }) => ({ backend: backend!, compile: true })),
];

async function trained(
  build: () => LayersModel,
  data: Dataset,
  options: Partial<TrainerOptions>,
  plugins: readonly Plugin[] = [hype({ scale: 0.3 })],
): Promise<number[]> {
  const model = build();
  const trainer = makeTrainer(model, plugins, {
    // With a large epsilon AdamW does not blow up gradients that are nothing but rounding, as those of the keys' biases.
    optimizer: { learningRate: 1e-2, epsilon: 1e-3 },
    ...options,
  });
  await trainer.fit(data);
  if (options.compile === true) expect(trainer.compileReport()).toMatchObject({ compiled: true });
  const values = Object.values(weightsOf(model)).flat();
  model.dispose();
  return values;
}

/** The largest difference between two runs' weights. */
const distance = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

const bert = (): LayersModel => buildModel('bert');

test('a short last batch draws the same on every engine, compiled or not', { timeout: 240_000 }, async () => {
  const runs: number[][] = [];
  for (const { backend, compile } of ways) {
    await tf.setBackend(backend);
    runs.push(await trained(bert, tokenRows(6), { compile, steps: 4, lengthMultiple: 10 }));
  }
  await tf.setBackend('cpu');
  for (const run of runs) expect(distance(run, runs[0]!)).toBeLessThan(1e-4);
});

test('padding changes no draw: a run padded further trains the same', async () => {
  const [tight, wide] = [1, 16].map((lengthMultiple) => ({ steps: 6, lengthMultiple }));
  const runs = [await trained(bert, tokenRows(6), tight!), await trained(bert, tokenRows(6), wide!)];
  expect(distance(runs[0]!, runs[1]!)).toBeLessThan(1e-5);
});

test.each([
  lnsr({ scale: 0.1 }),
  freelb({ magnitude: 0.5, maxNorm: 0.2 }),
  neftune({ length: 'real' }),
  cutoff(),
])('$name counts tokens alone: a run padded further trains the same', async (plugin) => {
  const run = (lengthMultiple: number): Promise<number[]> =>
    trained(bert, tokenRows(6), { steps: 3, lengthMultiple }, [plugin]);
  expect(distance(await run(1), await run(16))).toBeLessThan(1e-5);
});

test.each([
  ['as a layer', () => [layers.batchNormalization()]],
  [
    'within another',
    () => [
      layers.reshape({ targetShape: [2, 3] }),
      layers.timeDistributed({ layer: layers.batchNormalization() }),
      layers.flatten(),
    ],
  ],
])('batch normalization, %s, sees the rows of the batch alone', async (_, normalization) => {
  const x = randomNormal([10, 4], seedKey(2));
  const values = x.arraySync() as number[][];
  x.dispose();
  const initial = (seed: number): ReturnType<typeof initializers.glorotUniform> =>
    initializers.glorotUniform({ seed });
  const build = (): LayersModel =>
    sequential({
      layers: [
        layers.dense({ units: 6, inputShape: [4], useBias: false, kernelInitializer: initial(1) }),
        ...normalization(),
        layers.dense({ units: 2, kernelInitializer: initial(2) }),
      ],
    });
  const runs: number[][] = [];
  for (const { backend, compile } of ways) {
    await tf.setBackend(backend);
    const inputs = tf.tensor2d(values);
    const data = tensorData(
      inputs,
      values.map(([first]) => Number(first! > 0)),
    );
    runs.push(await trained(build, data, { compile, steps: 6 }));
    inputs.dispose();
  }
  await tf.setBackend('cpu');
  for (const run of runs) expect(distance(run, runs[0]!)).toBeLessThan(1e-4);
});

test.skipIf(ways.length < 3)(
  'accumulation compiles a program a length, not one for each tuple of lengths',
  { timeout: 240_000 },
  async () => {
    const native = ways.at(-1)!;
    await tf.setBackend(native.backend);
    const model = buildModel('bert');
    const trainer = makeTrainer(model, [], {
      compile: true,
      accumulate: 3,
      batchSize: 2,
      steps: 6,
      lengthMultiple: 6,
    });
    const before = trainer.compileReport()!.compilations;
    await trainer.fit(tokenRows(13));
    // Lengths 6 and 12, and the update.
    expect(trainer.compileReport()!.compilations - before).toBe(3);
    model.dispose();
    await tf.setBackend('cpu');
  },
);

test.skipIf(ways.length < 3)(
  'a step that does not run compiled says so, once',
  { timeout: 240_000 },
  async () => {
    await tf.setBackend(ways.at(-1)!.backend);
    const model = buildModel('features');
    const { data, dispose } = buildData('features');
    const lines: string[] = [];
    const plugin: Plugin = {
      name: 'unique',
      apply({ hooks }) {
        hooks.afterLoss.tap('unique', (terms) => {
          tf.unique(tf.tensor1d([1, 1, 2]));
          return terms;
        });
      },
    };
    const trainer = makeTrainer(model, [plugin], {
      compile: true,
      steps: 3,
      onWarning: (line) => lines.push(line),
    });
    await trainer.fit(data);
    expect(lines).toEqual([expect.stringMatching(/^engine: a step ran operation by operation.*UniqueV2/)]);
    dispose();
    model.dispose();
    await tf.setBackend('cpu');
  },
);
