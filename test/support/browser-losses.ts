import { type Dataset, Trainer } from '@hypetune/core';
import { useWasm, type WasmOptions } from '@hypetune/engine/browser';
import { hype } from '@hypetune/hype';
import { type ModelFolder, readModel } from '@hypetune/models/browser';
import { randomNormal, seedKey } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';

/** What some steps of a small model with HyPe gave. */
export interface Losses {
  readonly threads: number;
  readonly losses: readonly number[];
  /** A product that is large enough to be shared among threads. */
  readonly product: readonly number[];
}

/** Trains on the wasm engine; runs in Node.js and in a browser. */
export async function lossesOf(
  folder: ModelFolder,
  rows: Dataset,
  { steps, ...options }: WasmOptions & { readonly steps: number },
): Promise<Losses> {
  const threads = await useWasm(options);
  const matrix = randomNormal([256, 256], seedKey(1));
  const product = Array.from(await tf.matMul(matrix, matrix).data());
  const { model } = await readModel(folder, { labels: ['no', 'yes'], seed: 1 });
  const losses: number[] = [];
  const trainer = new Trainer({
    ...{ model, batchSize: 8, steps, seed: 3, plugins: [hype({ scale: 1e-3 })] },
    ...{ optimizer: { learningRate: 1e-3 }, schedule: { warmup: 0, decay: 'constant' } },
    onWarning: () => undefined,
  });
  trainer.hooks.onStep.tap('test', ({ loss }) => {
    losses.push(loss);
  });
  await trainer.fit(rows);
  model.dispose();
  return { threads, losses, product };
}
