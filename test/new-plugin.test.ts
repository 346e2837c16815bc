import { mkdtempSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Method } from '@hypetune/core';
import { afterAll, expect, test, vi } from 'vitest';
import { newPlugin } from '../packages/cli/src/new-plugin.js';
import { optionPage } from '../scripts/option-tables.js';
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

const { myMethod } = (await load('src/index.ts')) as { myMethod: Method<{ strength?: number }, unknown> };

test('the option table of its page is as npm run docs would write it', async () => {
  const page = readFileSync(join(folder, 'README.md'), 'utf8');
  expect(page).toContain('| `strength` | `0.01`');
  expect(await optionPage(page, myMethod)).toBe(page);
});

vi.doMock('./support/registry.js', () => ({
  registry: [
    {
      name: 'my-method',
      method: myMethod,
      create: () => myMethod(),
      off: () => myMethod({ strength: 0 }),
      models: modelNames,
      folder,
    },
  ],
}));
await import('./contract.test.js');
