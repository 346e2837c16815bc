import * as tf from '@tensorflow/tfjs-core';
import { describeContract } from '@hypetune/testing';
import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import { enginesPresent } from './support/engines.js';
import { registry } from './support/registry.js';

const [pjrt] = await enginesPresent(['pjrt']);

// XLA takes a minute for some programs on a busy processor.
vi.setConfig({ testTimeout: 900_000 });

describe('the contract on a PJRT plugin', () => {
  if (pjrt?.backend === undefined) {
    test.skip(`not here: ${pjrt?.reason ?? ''}`, () => undefined);
    return;
  }
  beforeAll(async () => {
    await tf.setBackend(pjrt.backend!);
  });
  afterAll(async () => {
    await tf.setBackend('cpu');
  });
  // Pages and refusals are the same on every engine.
  describeContract(registry.map((entry) => ({ ...entry, folder: undefined })));
});
