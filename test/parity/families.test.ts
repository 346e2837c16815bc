import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { enginesPresent } from '../support/engines.js';
import { differencesOf, FIXTURES } from './families.js';

const TOLERANCE = 1e-4;
const engines = await enginesPresent(['cpu', 'wasm', 'native']);

describe.each(engines)('$engine', ({ backend }) => {
  test.skipIf(backend === undefined).each([...FIXTURES])(
    '%s: logits, loss and every gradient agree with PyTorch transformers',
    async (_, folder) => {
      await tf.setBackend(backend!);
      const before = tf.memory().numTensors;
      const differences = await differencesOf(folder);
      const { logits, loss, gradients } = differences;
      for (const difference of [logits, loss, gradients])
        expect(difference, JSON.stringify(differences)).toBeLessThan(TOLERANCE);
      expect(tf.memory().numTensors).toBe(before);
    },
  );
});
