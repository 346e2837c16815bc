import { describe, test } from 'vitest';
import { enginesPresent, expectSame } from './support/engines.js';
import { registry } from './support/registry.js';

// Every method is a function of its own to compile, some seconds each.
describe.each(await enginesPresent(['native']))('$engine, compiled', ({ backend, reason }) => {
  if (backend === undefined) test.skip(`not here: ${reason ?? ''}`);
  else
    test.each(registry)(
      '$name trains as in plain JavaScript',
      async ({ create }) => {
        await expectSame(backend, create, true);
      },
      300_000,
    );
});
