import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { enginesPresent } from '../support/engines.js';
import { differencesOf } from '../support/parity.js';

const FIXTURES = fileURLToPath(new URL('../../packages/models/fixtures', import.meta.url));
const cases = ['deberta', 'deberta-v2', 'xlnet'].flatMap((family) =>
  readdirSync(`${FIXTURES}/${family}`).map((name) => `${family}/${name}`),
);

describe.each(await enginesPresent(['cpu', 'wasm', 'native']))('$engine', ({ backend, reason }) => {
  if (backend === undefined) test.skip(`not here: ${reason ?? ''}`);
  else
    test.each(cases)('%s: logits, loss and every gradient are those of transformers', async (name) => {
      await tf.setBackend(backend);
      const { weight, ...differences } = await differencesOf(`${FIXTURES}/${name}`);
      for (const [what, difference] of Object.entries(differences))
        expect(difference, `${what} ${what === 'gradients' ? weight : ''}`).toBeLessThan(1e-4);
    });
});
