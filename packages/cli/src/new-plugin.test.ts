import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { newPlugin } from './new-plugin.js';
import { version } from './version.js';

const scratch = mkdtempSync(join(tmpdir(), 'hypetune-new-plugin-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});
const read = (file: string): unknown => JSON.parse(readFileSync(file, 'utf8'));

const FILES = [
  'package.json',
  'tsconfig.json',
  'README.md',
  'src/index.ts',
  'src/formula.ts',
  'src/my-noise.ts',
  'src/my-noise.test.ts',
];

test('a package that stands alone', () => {
  const folder = join(scratch, 'alone');
  expect(newPlugin(folder, 'my-noise').map((file) => relative(folder, file))).toEqual([
    ...FILES,
    'src/contract.test.ts',
  ]);
  expect(read(join(folder, 'package.json'))).toMatchObject({
    name: 'hypetune-my-noise',
    scripts: { build: 'tsc', test: 'vitest run', prepack: 'npm run build' },
    peerDependencies: { '@hypetune/core': `^${version}`, '@hypetune/ops': `^${version}` },
  });
  expect(readFileSync(join(folder, 'src/my-noise.ts'), 'utf8')).toContain(
    'export const myNoise = defineMethod({',
  );
  // As a URL: its text has %20 for a space of the path.
  expect(readFileSync(join(folder, 'src/contract.test.ts'), 'utf8')).toContain(
    "folder: new URL('..', import.meta.url),",
  );
});

test('a package of a checkout has its shape and a line in its build', () => {
  const root = join(scratch, 'checkout');
  mkdirSync(root);
  writeFileSync(join(root, 'package.json'), '{ "name": "hypetune-workspace" }');
  writeFileSync(join(root, 'tsconfig.json'), '{ "references": [{ "path": "packages/core" }] }');
  const folder = join(root, 'packages', 'my-noise');
  newPlugin(folder, 'my-noise');
  const like = read(new URL('../../hype/package.json', import.meta.url).pathname) as object;
  const made = read(join(folder, 'package.json')) as Record<string, unknown>;
  expect(made).toMatchObject({ name: '@hypetune/my-noise', sideEffects: false });
  for (const key of ['exports', 'files', 'peerDependencies'] as const)
    expect(made[key]).toEqual((like as Record<string, unknown>)[key]);
  expect(read(join(folder, 'tsconfig.json'))).toMatchObject({ extends: '../../tsconfig.base.json' });
  expect(read(join(root, 'tsconfig.json'))).toEqual({
    references: [{ path: 'packages/core' }, { path: 'packages/my-noise' }],
  });
});

test('mistakes are named', () => {
  expect(() => newPlugin(join(scratch, 'x'), 'MyNoise')).toThrow(
    "new-plugin: the name must be kebab-case, as my-noise, got 'MyNoise'.",
  );
  expect(() => newPlugin(join(scratch, 'x'), 'hype')).toThrow("there is a method 'hype' already");
  expect(() => newPlugin(scratch, 'my-noise')).toThrow('is not empty; give a new folder.');
});
