/**
 * What noise costs on every engine here: a new draw added to (a mask multiplied with) each of 12 tensors [16, 64, 384], next to
 * the same with a constant. Milliseconds, medians of interleaved rounds.
 *
 *     npm run bench -- draws [rounds]
 */
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-wasm';
import { foldIn, randomBernoulli, randomNormal, randomUniform, seedKey } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { listEngines } from '../src/install/install.js';
import { countOf } from './flags.js';
import { loadLibrary, registerNativeBackend, type NativeBackend } from '../src/libtensorflow/index.js';

const shape = [16, 64, 384];
const rounds = countOf('rounds', process.argv[2] ?? '21');
const run = seedKey(1);
let draw = 0;

const steps: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  constant: (x) => tf.add(x, tf.scalar(1e-5)),
  normal: (x) => tf.add(x, randomNormal(shape, foldIn(run, draw++), 1e-5)),
  uniform: (x) => tf.add(x, randomUniform(shape, foldIn(run, draw++), -1e-5, 1e-5)),
  dropout: (x) => tf.mul(x, randomBernoulli(shape, foldIn(run, draw++), 0.9)),
};

function measure(label: string, record: <T extends tf.TensorContainer>(step: () => T) => T): void {
  const inputs = Array.from({ length: 12 }, () => tf.zeros(shape));
  const times = Object.entries(steps).map(([name, f]) => ({ name, f, milliseconds: [] as number[] }));
  for (let round = -2; round < rounds; round++) {
    for (const { f, milliseconds } of times) {
      const start = performance.now();
      const results = record(() => tf.tidy(() => inputs.map(f)));
      results.at(-1)!.dataSync();
      if (round >= 0) milliseconds.push(performance.now() - start);
      tf.dispose(results);
    }
  }
  tf.dispose(inputs);
  const median = (values: number[]): string => values.sort((a, b) => a - b)[values.length >> 1]!.toFixed(1);
  console.log(
    `${label.padEnd(18)}${times.map((t) => `${t.name} ${median(t.milliseconds)}`.padEnd(18)).join('')}`,
  );
}

const [engine] = await listEngines();
if (engine === undefined) console.log('native: no TensorFlow is installed ("hypetune engine install")');
else {
  registerNativeBackend(loadLibrary(engine.paths));
  await tf.setBackend('tensorflow');
  const { recorder } = tf.backend() as NativeBackend;
  measure('native, compiled', (step) => recorder.record(step));
  measure('native, eager', (step) => step());
}
for (const name of ['wasm', 'cpu']) {
  await tf.setBackend(name);
  measure(name, (step) => step());
}
