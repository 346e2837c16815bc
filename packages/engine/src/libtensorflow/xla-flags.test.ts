import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { findLibrary, startNative } from '../native-fixture.js';
import type { NativeBackend } from './index.js';
import { withOwnXlaFlags } from './xla-flags.js';

const paths = await findLibrary();
const nan = '--xla_cpu_enable_fast_min_max=false';
const level = '--xla_backend_optimization_level=1';

test.each([
  [undefined, `${nan} ${level}`],
  ['', `${nan} ${level}`],
  ['--xla_dump_to=/tmp', `--xla_dump_to=/tmp ${nan} ${level}`],
  ['--xla_cpu_enable_fast_min_max=true', `--xla_cpu_enable_fast_min_max=true ${level}`],
  ['--xla_backend_optimization_level=3', `--xla_backend_optimization_level=3 ${nan}`],
  ['/etc/xla.flags', '/etc/xla.flags'],
])('XLA_FLAGS %j', (given, expected) => {
  expect(withOwnXlaFlags(given)).toBe(expected);
});

describe.skipIf(paths === undefined)('a compiled step keeps NaN', () => {
  let backend: NativeBackend;

  beforeAll(async () => {
    backend = await startNative(paths!);
  });

  const operations: Record<string, (x: tf.Tensor) => tf.Tensor> = {
    max: (x) => tf.max(x),
    min: (x) => tf.min(x),
    'max of rows': (x) => tf.max(x, 1),
    maximum: (x) => tf.maximum(x, tf.scalar(0)),
    minimum: (x) => tf.minimum(tf.scalar(0), x),
    relu: (x) => tf.relu(x),
    'relu and its gradient': (x) => tf.grad((y: tf.Tensor) => tf.sum(tf.square(tf.relu(y))))(x),
    softmax: (x) => tf.softmax(x as tf.Tensor2D),
    clip: (x) => tf.clipByValue(x, -1, 1),
  };

  test.each(Object.keys(operations))('%s', (name) => {
    const x = tf.tensor2d([NaN, 1, -1, 2, 3, NaN, 4, 5], [2, 4]);
    const step = (): tf.Tensor => tf.tidy(() => operations[name]!(x));
    const result = backend.recorder.record(step);
    expect([...result.dataSync()].some(Number.isNaN)).toBe(true);
    tf.dispose([x, result]);
  });
});
