import { describe, test } from 'vitest';
import { enginesPresent, expectSame } from './support/engines.js';
import { registry } from './support/registry.js';

describe.each(await enginesPresent(['wasm', 'native', 'pjrt']))('$engine', ({ engine, backend, reason }) => {
  // Compiling on a processor takes this engine seconds a method.
  const isShort = engine === 'pjrt' && process.env['HYPETUNE_DEEP'] === undefined;
  if (backend === undefined) test.skip(`not here: ${reason ?? ''}`);
  else
    test.each(isShort ? registry.filter(({ name }) => name === 'hype') : registry)(
      '$name trains as in plain JavaScript',
      async ({ create, steady = create }) => {
        await expectSame(backend, steady, false);
      },
    );
});
