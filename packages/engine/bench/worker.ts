// Child process of step.ts: one engine, one model. Reads "steps" lines, answers each with a JSON line.
import { createInterface } from 'node:readline';
import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients of tfjs-core's operations.
import '@tensorflow/tfjs-layers';
import { chooseEngine } from '../src/choose.js';
import type { PjrtBackend } from '../src/pjrt/backend.js';
import type { RecordingBackend } from '../src/recording/tfjs-node.js';
import { Bert, shapes } from './bert.js';
import { Encoder, encoders } from './encoder.js';
import { nameOf } from './flags.js';
import { type Way, type WayName, ways } from './engines.js';
import { Training } from './training.js';

const [engine, shapeName, batch, length] = process.argv.slice(2) as [string, string, string, string];
const way: Way = ways[nameOf('ENGINE', engine, Object.keys(ways) as WayName[])];
await chooseEngine({ force: way.engine });
const [rows, columns] = [Number(batch), Number(length)];
const config = encoders[shapeName];
const training = new Training(config ? new Encoder(config) : new Bert(shapes[shapeName]!));
const ids = tf.tensor2d(
  Int32Array.from({ length: rows * columns }, (_, i) => (i * 7919) % 30_522),
  [rows, columns],
  'int32',
);
const labels = tf.tensor2d(
  Float32Array.from({ length: rows * 2 }, (_, i) => ((i >> 1) % 2 === i % 2 ? 1 : 0)),
  [rows, 2],
);

/** One training step: its milliseconds, those of all processors, those that JavaScript took of them, and the loss. */
function step(): { ms: number; cpu: number; script: number; loss: number } {
  const start = performance.now();
  const before = process.cpuUsage();
  let recorded = start;
  const run = (): tf.Scalar => {
    const loss = training.step(ids, labels);
    recorded = performance.now();
    return loss;
  };
  const loss =
    way.precision === undefined
      ? run()
      : (tf.backend() as unknown as RecordingBackend).recorder.record(run, way.precision);
  const value = loss.dataSync()[0]!;
  loss.dispose();
  const { user, system } = process.cpuUsage(before);
  return {
    ms: performance.now() - start,
    cpu: (user + system) / 1000,
    script: recorded - start,
    loss: value,
  };
}

for (let i = 0; i < (config ? 3 : 10); i++) step();
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const steps = Array.from({ length: Number(line) }, step);
  const { client } = (tf.backend() as unknown as Partial<PjrtBackend>).binding?.runtime ?? {};
  const own = client?.platform === 'cpu' ? undefined : client?.memory()?.peak;
  const peak = own === undefined ? process.resourceUsage().maxRSS / 1024 : own / 2 ** 20;
  const round = {
    ms: steps.map(({ ms }) => ms),
    cpu: steps.map(({ cpu }) => cpu),
    script: steps.map(({ script }) => script),
    loss: steps.at(-1)?.loss,
    peak,
  };
  console.log(JSON.stringify(round));
}
process.exit(0);
