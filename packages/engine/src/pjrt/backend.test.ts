import { dropout, randomNormal, randomUniform, seedKey } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Classifier, batch } from '../compile/classifier-fixture.js';
import { registerPjrtBackend, type PjrtBackend } from './backend.js';
import { Client } from './client.js';
import { findTestPlugin } from './plugin-fixture.js';

const path = await findTestPlugin();

describe.skipIf(path === undefined)('the engine on a PJRT plugin', () => {
  let backend: PjrtBackend;

  beforeAll(async () => {
    registerPjrtBackend(new Client(path!));
    await tf.setBackend('pjrt');
    backend = tf.backend() as unknown as PjrtBackend;
  });

  afterEach(() => {
    tf.disposeVariables();
  });

  const count = (): { buffers: number; tensors: number; numbers: number } => ({
    buffers: backend.binding.runtime.handles,
    tensors: tf.memory().numTensors,
    numbers: backend.getNumOfTFTensors(),
  });

  test('computes outside of steps when a value is wanted, and keeps nothing', async () => {
    const before = count();
    const y = tf.tidy(() => {
      const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
      return tf.sum(tf.softmax(tf.add(tf.matMul(x, x), 1)), 0);
    });
    expect((await y.data())[0]).toBeCloseTo(0.0483369, 5);
    y.dispose();
    expect(count()).toEqual(before);
  });

  test('trains like the same steps outside of steps, its state overwritten in place', () => {
    const [eager, compiled] = [new Classifier(3), new Classifier(3)];
    let before;
    for (let i = 0; i < 200; i++) {
      const { x, y } = batch(i % 2 === 0 ? 8 : 12);
      const loss = backend.recorder.record(() => compiled.step(x, y));
      if (i < 20) {
        const expected = eager.step(x, y);
        expect(Math.abs(loss.dataSync()[0]! - expected.dataSync()[0]!)).toBeLessThan(1e-5);
        expected.dispose();
      }
      tf.dispose([x, y, loss]);
      if (i === 21) before = count();
    }
    expect(count()).toEqual(before);
    expect(backend.recorder.report()).toMatchObject({ compiled: true, compilations: 2, executions: 200 });
  });

  test('draws the same bits as the cpu backend, in a step and outside', async () => {
    const draws = (): tf.Tensor[] => [
      randomNormal([5, 7], seedKey(3), 0.1),
      randomUniform([4, 9], seedKey(4), -1, 1),
      dropout(tf.ones([6, 8]), 0.3, seedKey(5)),
    ];
    const [outside, inside] = [tf.tidy(draws), backend.recorder.record(() => tf.tidy(draws))];
    const got = [outside, inside].map((tensors) => tensors.map((tensor) => tensor.dataSync()));
    tf.dispose([outside, inside]);
    await tf.setBackend('cpu');
    const wanted = tf.tidy(() => draws().map((tensor) => tensor.dataSync()));
    await tf.setBackend('pjrt');
    expect(got).toEqual([wanted, wanted]);
  });

  test('computes large products in bfloat16 where that is asked for', () => {
    const x = tf.randomUniform<tf.Rank.R2>([64, 64], -1, 1, 'float32', 1);
    const product = (): tf.Tensor => tf.matMul(x, x);
    const [exact, rounded] = (['float32', 'bfloat16'] as const).map((precision) =>
      Array.from(backend.recorder.record(product, precision).dataSync()),
    );
    const difference = Math.max(...exact!.map((value, i) => Math.abs(value - rounded![i]!)));
    expect(difference).toBeGreaterThan(1e-4);
    expect(difference).toBeLessThan(0.1);
  });

  test('runs on the host what it does not translate, between compiled parts, and names it', () => {
    const before = count();
    const step = (): tf.Tensor =>
      tf.tidy(() => {
        const { values } = tf.unique(tf.mul(tf.tensor1d([3, 1, 3]), 2));
        return tf.add(values, 1);
      });
    const result = backend.recorder.record(step);
    expect(Array.from(result.dataSync())).toEqual([7, 3]);
    const report = backend.recorder.report();
    expect(report.compiled).toBe(false);
    expect(report.eagerOperations['Unique']).toMatch(/^UniqueV2 gives .*other shapes/);
    result.dispose();
    expect(count()).toEqual(before);
  });

  test('a step that finds no memory gives one clear error, leaks nothing, and the next one runs', () => {
    const weight = tf.tidy(() => tf.variable(tf.ones([70_000])));
    /** The sum of the weight, computed beside something large. */
    const step = (columns: number): number => {
      const results = backend.recorder.record(() =>
        tf.tidy(() => {
          const rows = tf.ones([1, columns, 1]);
          const large = tf.mul(
            tf.mul(tf.reshape(weight, [-1, 1, 1]), rows),
            tf.reshape(rows, [1, 1, columns]),
          );
          return [tf.sum(weight), large];
        }),
      );
      try {
        return results[0]!.dataSync()[0]!;
      } finally {
        tf.dispose(results);
      }
    };
    step(1);
    const before = count();
    for (let i = 0; i < 2; i++)
      expect(() => step(2 ** 16)).toThrow(
        /^The device \(cpu\) is out of memory: .* 1202590842880000 bytes\. Use smaller batches \(batchSize,/,
      );
    expect(step(1)).toBe(70_000);
    expect(count()).toEqual(before);
  });

  test('a step that throws leaves what it assigned before computed, and the engine usable', () => {
    const weight = tf.variable(tf.ones([64]));
    const broken = (): void => {
      weight.assign(tf.tidy(() => tf.add(weight, 1)));
      throw new Error('no more');
    };
    expect(() => {
      backend.recorder.record(broken);
    }).toThrow('no more');
    expect(weight.dataSync()[63]).toBe(2);
  });
});
