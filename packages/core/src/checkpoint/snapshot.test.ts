import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { download } from './snapshot.js';

test('a tensor is held as what its type says, also what the engine cast from bool and holds as bytes', async () => {
  const mask = tf.cast(tf.tensor1d([true, false, true], 'bool'), 'float32');
  expect(await mask.data()).toBeInstanceOf(Uint8Array);
  const places = tf.tensor1d([3, -4], 'int32');
  const stored = await download(
    new Map<string, tf.Tensor>([
      ['mask', mask],
      ['places', places],
    ]),
  );
  expect(stored['mask']).toEqual({ dtype: 'float32', shape: [3], data: Float32Array.of(1, 0, 1) });
  expect(stored['places']).toEqual({ dtype: 'int32', shape: [2], data: Int32Array.of(3, -4) });
});
