// Child process of bench-memory.ts: trains a BERT for some steps; prints seconds of each and the peak resident MiB.
import * as tf from '@tensorflow/tfjs-core';
import { tensorData, Trainer, type TrainerOptions } from '@hypetune/core';
import { chooseEngine } from '@hypetune/engine';
import { bertConfig, bertModel } from '@hypetune/models';

const [shape, size, settings] = process.argv.slice(2).map((text) => JSON.parse(text) as unknown) as [
  Record<string, number>,
  { rows: number; length: number; steps: number },
  Partial<TrainerOptions>,
];
await chooseEngine({ force: 'native' });
const model = bertModel(bertConfig(shape), { seed: 1 });
const { rows, length, steps } = size;
const ids = tf.tensor2d(
  Int32Array.from({ length: rows * length }, (_, i) => (i * 7919) % shape['vocab_size']!),
  [rows, length],
  'int32',
);
const inputs = [ids, tf.onesLike(ids), tf.zerosLike(ids)];
const data = tensorData(
  inputs,
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
console.log(
  JSON.stringify({ seconds, parameters: model.countParams(), peak: process.resourceUsage().maxRSS / 1024 }),
);
