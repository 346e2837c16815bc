// One process of bench-methods.ts or bench-trainer.ts: trains a BERT of random weights, an epoch (one round) whenever the parent asks.
import * as tf from '@tensorflow/tfjs-core';
import { tensorData, Trainer, type Precision } from '@hypetune/core';
import { chooseEngine, type EngineName } from '@hypetune/engine';
import { bertConfig, bertModel } from '@hypetune/models';
import { methodNamed } from '../packages/cli/src/methods.js';

/** Methods by name, with their options. */
export type PluginOptions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface Job {
  readonly plugins: PluginOptions;
  /** An engine's name, or `auto`. */
  readonly engine: string;
  readonly shape: Readonly<Record<string, number>>;
  readonly precision: Precision;
  readonly batch: number;
  readonly length: number;
  /** Steps a round. */
  readonly steps: number;
}

/** What a process says when it is ready and after each round. */
export interface Reply {
  readonly engine: string;
  /** Of each step of the round. */
  readonly milliseconds: readonly number[];
  /** The same of all processors together. */
  readonly processor: readonly number[];
  /** Largest resident memory so far, MiB. */
  readonly peak: number;
}

const job = JSON.parse(process.argv[2]!) as Job;
const choice = await chooseEngine(job.engine === 'auto' ? {} : { force: job.engine as EngineName });
const rows = job.batch * job.steps;
const ids = tf.randomUniform([rows, job.length], 1, 30_000, 'int32', 1);
const inputs = [ids, tf.onesLike(ids), tf.zerosLike(ids)];
const data = tensorData(
  inputs,
  Array.from({ length: rows }, (_, row) => row % 2),
);
const model = (): ReturnType<typeof bertModel> => bertModel(bertConfig(job.shape));
const trainer = new Trainer({
  model: model(),
  plugins: Object.entries(job.plugins).map(([name, options]) => {
    const teacher = 'teacher' in options && { teacher: model() };
    return methodNamed(name).create({ ...options, ...teacher });
  }),
  precision: job.precision,
  batchSize: job.batch,
  epochs: 100_000,
  lengthMultiple: 1,
  onWarning: () => undefined,
});

let milliseconds: number[] = [];
let processor: number[] = [];
let last = 0;
let lastUsage = process.cpuUsage();

/** Says what the last round took and waits for the word to start the next. */
async function turn(): Promise<void> {
  const reply: Reply = {
    engine: choice.reason,
    milliseconds,
    processor,
    peak: process.resourceUsage().maxRSS / 1024,
  };
  const asked = new Promise<void>((resolve) => {
    process.once('message', () => {
      resolve();
    });
  });
  process.send!(reply);
  await asked;
  milliseconds = [];
  processor = [];
  last = performance.now();
  lastUsage = process.cpuUsage();
}

process.on('disconnect', () => process.exit());
trainer.hooks.onFitStart.tapPromise('bench', turn);
trainer.hooks.onStep.tap('bench', () => {
  const now = performance.now();
  milliseconds.push(now - last);
  last = now;
  const { user, system } = process.cpuUsage(lastUsage);
  processor.push((user + system) / 1000);
  lastUsage = process.cpuUsage();
});
trainer.hooks.onEpoch.tapPromise('bench', turn);
await trainer.fit(data);
