import { describe, test } from 'vitest';
import { enginesPresent, expectSame } from './support/engines.js';
import { registry } from './support/registry.js';

describe.each(await enginesPresent(['wasm', 'native']))('$engine', ({ backend, reason }) => {
  if (backend === undefined) test.skip(`not here: ${reason ?? ''}`);
  else
    test.each(registry)('$name trains as in plain JavaScript', async ({ create, steady = create }) => {
      await expectSame(backend, steady, false);
    });
});
