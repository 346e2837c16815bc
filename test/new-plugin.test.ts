import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { MethodInfo, Plugin } from '@hypetune/core';
import { afterAll, expect, test, vi } from 'vitest';
import { newPlugin } from '../packages/cli/src/new-plugin.js';
import { typeErrors } from './support/type-check.js';
import { modelNames } from './support/models.js';

// A package as `hypetune new-plugin` makes it: its own tests run here, and then the whole contract with it alone.
const generated = join(import.meta.dirname, '.generated');
mkdirSync(generated, { recursive: true });
const folder = mkdtempSync(join(generated, 'new-plugin-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

newPlugin(folder, 'my-method');
const load = (path: string): Promise<object> => import(pathToFileURL(join(folder, path)).href);
await load('src/my-method.test.ts');

test('it type-checks', { timeout: 300_000 }, () => {
  expect(typeErrors(join(folder, 'src'))).toBe('');
});

const { MyMethod, myMethodMethod } = (await load('src/index.ts')) as {
  MyMethod: new (options?: { strength: number }) => Plugin;
  myMethodMethod: MethodInfo;
};
vi.doMock('./support/registry.js', () => ({
  registry: [
    {
      name: 'my-method',
      method: myMethodMethod,
      create: () => new MyMethod(),
      off: () => new MyMethod({ strength: 0 }),
      models: modelNames,
      folder,
    },
  ],
}));
await import('./contract.test.js');
