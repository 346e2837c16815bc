import { describe, test } from 'vitest';
import { enginesPresent, expectSame } from './support/engines.js';
import { registry } from './support/registry.js';

// Compiling on a processor takes PJRT's engine seconds a method.
const slow = process.env['HYPETUNE_DEEP'] === undefined ? [] : (['pjrt'] as const);

describe.each(await enginesPresent(['wasm', 'native', ...slow]))('$engine', ({ backend, reason }) => {
  if (backend === undefined) test.skip(`not here: ${reason ?? ''}`);
  else
    test.each(registry)('$name trains as in plain JavaScript', async ({ create, steady = create }) => {
      await expectSame(backend, steady, false);
    });
});
