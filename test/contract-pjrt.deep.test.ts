import * as tf from '@tensorflow/tfjs-core';
import { describeContract } from '@hypetune/testing';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { enginesPresent } from './support/engines.js';
import { registry } from './support/registry.js';

const [pjrt] = await enginesPresent(['pjrt']);

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
