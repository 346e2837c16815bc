import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { expect, test, vi } from 'vitest';
import { tensorData, Trainer } from './index.js';

test('recurrent layers train without the whole of tfjs, and without its banner', async () => {
  const warn = vi.spyOn(console, 'warn');
  const model = sequential({
    layers: [
      layers.lstm({ units: 3, inputShape: [4, 2], returnSequences: true }),
      layers.gru({ units: 3 }),
      layers.dense({ units: 2 }),
    ],
  });
  const data = tensorData(tf.ones([4, 4, 2]), [0, 1, 0, 1]);
  expect((await new Trainer({ model, steps: 2 }).fit(data)).steps).toBe(2);
  const kernel = model.layers[0]!.getWeights()[1]!;
  expect(kernel.shape).toEqual([3, 12]);
  expect(warn).not.toHaveBeenCalled();
});
