import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test, vi } from 'vitest';
import { newPlugin } from '../packages/cli/src/new-plugin.js';
import { optionPage } from '../scripts/option-tables.js';
import type { Entry } from './support/registry.js';
import { typeErrors } from './support/type-check.js';

// Follows CONTRIBUTING.md: makes the package, writes the page's files over it, runs its tests, then the contract with its line.
const page = readFileSync(join(import.meta.dirname, '..', 'CONTRIBUTING.md'), 'utf8');
const blocks = new Map(
  [...page.matchAll(/^(````?)(?:ts|md) (\S+)\n(.*?)^\1\n/gms)].map(({ 2: path, 3: code }) => [path!, code!]),
);
const name = /npx hypetune new-plugin (\S+)/.exec(page)![1]!;
const source = `packages/${name}/`;

const generated = join(import.meta.dirname, '.generated');
mkdirSync(generated, { recursive: true });
const folder = mkdtempSync(join(generated, 'contributing-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});
const load = (path: string): Promise<object> => import(pathToFileURL(join(folder, path)).href);

const made = newPlugin(folder, name);
// Of a package that stands alone; the page makes one of the checkout, where the registry does this.
rmSync(join(folder, 'src/contract.test.ts'));
const written = [...blocks.keys()].filter((path) => path.startsWith(source));
for (const path of written) writeFileSync(join(folder, path.slice(source.length)), blocks.get(path)!);

test('the page replaces the files that were made, and adds none', () => {
  const files = made.map((file) => file.slice(folder.length + 1));
  expect(written.map((path) => path.slice(source.length)).filter((path) => !files.includes(path))).toEqual(
    [],
  );
  expect(written).toHaveLength(4);
  expect([...blocks.keys()]).toEqual([...written, 'test/support/registry.ts']);
});

test('the package type-checks', { timeout: 300_000 }, () => {
  expect(typeErrors(join(folder, 'src'))).toBe('');
});

await load(`src/${name}.test.ts`);

test('the example of its README runs', async () => {
  const [, example] = /^```ts\n(.*?)^```/ms.exec(blocks.get(`${source}README.md`)!)!;
  writeFileSync(join(folder, 'example.ts'), example!.replace(`@hypetune/${name}`, './src/index.js'));
  const log = vi.spyOn(console, 'log').mockReturnValue();
  await load('example.ts');
  expect(log.mock.calls.flat().join()).toContain(name);
  log.mockRestore();
});

// The line stands in a file of its own, in which the package is not installed but beside it.
const [imports, line] = blocks.get('test/support/registry.ts')!.split(/\n\n/);
writeFileSync(
  join(folder, 'registry.ts'),
  [
    imports!.replace(`@hypetune/${name}`, './src/index.js'),
    `import { modelNames as models } from '../../support/models.js';`,
    `const folder = import.meta.dirname;`,
    `const entry = (name, method, options, off) => ({ name, method, create: () => method(options), off: () => method(off), models, folder });`,
    `export const registry = [${line!}];`,
  ].join('\n'),
);
const { registry } = (await load('registry.ts')) as { registry: Entry[] };
// `npm run docs` fills in the option table.
const card = join(folder, 'README.md');
writeFileSync(card, await optionPage(readFileSync(card, 'utf8'), registry[0]!.method));

test('the README has its option table', () => {
  expect(readFileSync(card, 'utf8')).toMatch(
    /^\| `decay` +\| `0\.55` +\| a finite number >= 0 +\| gamma, .*\| 0\.55 /m,
  );
});

vi.doMock('./support/registry.js', () => ({ registry }));
await import('./contract.test.js');
