// Child process of bench-memory.ts and bench-compiling.ts: trains a BERT for some steps at each of some lengths, one after the
// other; prints the seconds of each step, by length, and the peak resident MiB.
import * as tf from '@tensorflow/tfjs-core';
import { tensorData, Trainer, type TrainerOptions } from '@hypetune/core';
import { chooseEngine } from '@hypetune/engine';
import { bertConfig, bertModel } from '@hypetune/models';

export interface Size {
  readonly rows: number;
  readonly lengths: readonly number[];
  /** At each length. */
  readonly steps: number;
}

/** What a process prints. */
export interface Measured {
  /** Of every step, by length. */
  readonly seconds: readonly (readonly number[])[];
  /** Largest resident memory, MiB. */
  readonly peak: number;
  readonly parameters: number;
}

const [shape, size, settings] = process.argv.slice(2).map((text) => JSON.parse(text) as unknown) as [
  Record<string, number>,
  Size,
  Partial<TrainerOptions>,
];
await chooseEngine({ force: 'native' });
const model = bertModel(bertConfig(shape), { seed: 1 });
const { rows, lengths, steps } = size;

async function train(length: number): Promise<number[]> {
  const ids = tf.tensor2d(
    Int32Array.from({ length: rows * length }, (_, i) => (i * 7919) % shape['vocab_size']!),
    [rows, length],
    'int32',
  );
  const data = tensorData(
    [ids, tf.onesLike(ids), tf.zerosLike(ids)],
    Array.from({ length: rows }, (_, row) => row % 2),
  );
  const trainer = new Trainer({ model, batchSize: rows, steps, ...settings });
  const seconds: number[] = [];
  let last = performance.now();
  trainer.hooks.onStep.tap('clock', () => {
    seconds.push((performance.now() - last) / 1000);
    last = performance.now();
  });
  await trainer.fit(data);
  return seconds;
}

const seconds: number[][] = [];
for (const length of lengths) seconds.push(await train(length));
const measured: Measured = {
  seconds,
  parameters: model.countParams(),
  peak: process.resourceUsage().maxRSS / 1024,
};
console.log(JSON.stringify(measured));
