import * as tf from '@tensorflow/tfjs-core';
import type { Plugin } from '@hypetune/core';
import { hype } from '@hypetune/hype';
import { mixout } from '@hypetune/mixout';
import { describe, expect, test } from 'vitest';
import { enginesPresent } from './support/engines.js';
import { expectResumable } from './support/resumed.js';
import { train } from './support/training.js';

const [pjrt] = await enginesPresent(['pjrt']);
const create = (): Plugin[] => [hype({ scale: 0.1 }), mixout({ p: 0.5 })];

// The short part of compiled.deep.test.ts and contract-pjrt.deep.test.ts.
describe('a compiled run on a PJRT plugin', () => {
  if (pjrt?.backend === undefined) {
    test.skip(`not here: ${pjrt?.reason ?? ''}`, () => undefined);
    return;
  }

  test('has the losses of plain JavaScript', { timeout: 300_000 }, async () => {
    const wanted = await train('features', create());
    await tf.setBackend(pjrt.backend!);
    const got = await train('features', create(), { compile: true });
    await tf.setBackend('cpu');
    for (const [place, loss] of got.losses.entries()) expect(loss).toBeCloseTo(wanted.losses[place]!, 5);
    expect(got.losses).toHaveLength(4);
  });

  test('equals one that was resumed, and itself, to the last bit', { timeout: 300_000 }, async () => {
    await tf.setBackend(pjrt.backend!);
    await expectResumable('features', create, { compile: true });
    await tf.setBackend('cpu');
  });
});
