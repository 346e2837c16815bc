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
});
