import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { countAll, findLibrary, startNative } from '../native-fixture.js';
import { Classifier, batch } from './classifier-fixture.js';

const paths = await findLibrary();
const STEPS = 10_000;

describe.skipIf(paths === undefined)('ten thousand steps', () => {
  test.each(['compiled', 'at once'])(
    '%s leave handles, tensors and memory as they were',
    { timeout: 900_000 },
    async (mode) => {
      const backend = await startNative(paths!);
      const model = new Classifier(1);
      let before;
      let memory = 0;
      for (let i = 0; i < STEPS; i++) {
        const { x, y } = batch(i % 3 === 0 ? 12 : 8);
        const loss = mode === 'compiled' ? backend.recorder.record(() => model.step(x, y)) : model.step(x, y);
        const value = i % 10 === 0 ? (await loss.data())[0]! : 0;
        expect(value).toBeLessThan(10);
        tf.dispose([x, y, loss]);
        if (i === STEPS / 10) {
          before = countAll(backend);
          memory = process.memoryUsage().rss;
        }
      }
      expect(countAll(backend)).toEqual(before);
      // Less than a kilobyte a step: JavaScript's own heap moves by more than that between two collections.
      expect(process.memoryUsage().rss - memory).toBeLessThan(STEPS * 1024 * 6);
      tf.disposeVariables();
    },
  );
});
