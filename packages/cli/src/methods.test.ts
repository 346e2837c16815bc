import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hype } from '@hypetune/hype';
import { beforeAll, expect, test } from 'vitest';
import { call } from '../test/call.js';
import { scratch } from '../test/scratch.js';
import { sentiment, tinyModel } from '../test/tiny-model.js';
import { readConfig } from './config-file.js';
import { METHODS, withMethods } from './methods.js';
import { describeRecipe, methodOptions, namedRecipe, recipeOf } from './recipes.js';

const example = fileURLToPath(new URL('../../../examples/third-party-plugin', import.meta.url));
const packages = fileURLToPath(new URL('../../../node_modules/@hypetune', import.meta.url));
const home = scratch();
const { folder, write } = home;
// A project in which hypetune's packages and one with a method are installed.
mkdirSync(join(folder, 'node_modules'));
symlinkSync(packages, join(folder, 'node_modules/@hypetune'));
symlinkSync(example, join(folder, 'node_modules/hypetune-plugin-gradient-noise'));
const table = write('train.tsv', sentiment(24));
let training: readonly string[] = [];
beforeAll(async () => {
  const model = await tinyModel(home);
  training = ['--train', table, '--validation', table, '--model', model, '--engine', 'cpu', '--steps', '2'];
});

test('a config names methods of its own, as files and as installed packages', async () => {
  const beside = await call('methods', '--config', join(example, 'compare.yaml'));
  expect(beside.out).toMatch(/^hype +Adds small noise/m);
  expect(beside.out).toMatch(
    /^gradient-noise +Adds fading Gaussian noise .*\(Neelakantan et al., 2015\)\.$/m,
  );
  const config = write('installed.yaml', 'methods: [hypetune-plugin-gradient-noise]\n');
  const { methods } = await readConfig(config);
  expect(methods).toEqual([join(example, 'gradient-noise.ts')]);
  const installed = await call('methods', 'gradient-noise', '--config', config);
  expect(installed.out).toMatch(/^ +variance +0\.01 +a finite number >= 0 +of the first step; 0 is off$/m);
});

test('recipes and options know them by name', async () => {
  const known = await withMethods([join(example, 'gradient-noise.ts')]);
  expect([...known.keys()]).toEqual([...METHODS.keys(), 'gradient-noise']);
  const options = methodOptions(['gradient-noise.variance=0.1'], known);
  expect(describeRecipe(namedRecipe('gradient-noise+hype', options, known))).toBe(
    'gradient-noise+hype: gradient-noise variance=0.1 + hype hiddenDropout=0',
  );
  const bad = { name: 'a', plugins: [{ name: 'gradient-noise', options: { variance: -1 } }] };
  expect(() => recipeOf(bad, { known })).toThrow('gradient-noise: variance must be');
  expect(() => namedRecipe('gradient-noise')).toThrow("there is no method 'gradient-noise'");
});

test.each([
  ['methods: [hypetune-plugin-none]', /bad\.yaml: methods: 'hypetune-plugin-none' does not resolve: /],
  ['methods: [./none.ts]', /none\.ts: /],
  ['methods: [./empty.ts]', /empty\.ts: it exports no method; export what defineMethod returns\./],
  ['methods: [./twice.ts]', /twice\.ts: there is a method 'hype' already; give it another name\./],
])('%s is refused', async (yaml, message) => {
  write('empty.ts', 'export const a = 1;');
  write(
    'twice.ts',
    `import { defineMethod } from '@hypetune/core';
export const other = defineMethod({ name: 'hype', summary: '', source: '', cost: '', options: {}, apply() {} });
`,
  );
  const { code, error } = await call('methods', '--config', write('bad.yaml', yaml));
  expect(code).toBe(1);
  expect(error).toMatch(message);
});

test('what a method made is data: shared by the runs of a comparison, recorded by name and options', () => {
  const recipe = recipeOf({ name: 'a', plugins: [hype({ scale: 1e-3 }), hype] });
  expect(recipe.entry).toEqual({
    name: 'a',
    plugins: [{ name: 'hype', options: { scale: 1e-3 } }, 'hype'],
  });
  expect(describeRecipe(recipe)).toBe('a: hype scale=0.001 + hype');
  expect(recipe.plugins()[0]).toBe(recipe.plugins()[0]);
});

test('compare by a TypeScript config with plugins that methods made', async () => {
  const config = write(
    'compare.ts',
    `import { hype } from '@hypetune/hype';
import { gradientNoise } from 'hypetune-plugin-gradient-noise';
export default {
  recipes: ['vanilla', { name: 'mine', plugins: [hype({ scale: 1e-3 }), gradientNoise({ variance: 0.5 })] }],
};
`,
  );
  const json = join(folder, 'out.json');
  const compared = await call('compare', '--config', config, ...training, '--seeds', '2', '--json', json);
  expect(compared.error).toMatch(/^mine: hype scale=0\.001 \+ gradient-noise variance=0\.5$/m);
  expect(compared.code).toBe(0);
  const { recipes, runs } = JSON.parse(readFileSync(json, 'utf8')) as { recipes: unknown; runs: unknown[] };
  expect(runs).toHaveLength(4);
  expect(recipes).toEqual([
    { name: 'vanilla', plugins: [] },
    {
      name: 'mine',
      plugins: [
        { name: 'hype', options: { scale: 1e-3 } },
        { name: 'gradient-noise', options: { variance: 0.5 } },
      ],
    },
  ]);
  const listed = await call('methods', '--config', config);
  expect(listed.out).toMatch(/^gradient-noise +Adds fading/m);
});

test('a saved run says which methods it had, and where they stand', async () => {
  const config = write(
    'train.yaml',
    `methods: [hypetune-plugin-gradient-noise]
recipe: { name: mine, plugins: [{ name: gradient-noise, options: { variance: 0.5 } }] }
`,
  );
  const out = join(folder, 'run');
  expect((await call('train', '--config', config, ...training, '--out', out)).code).toBe(0);
  expect(JSON.parse(readFileSync(join(out, 'hypetune.json'), 'utf8'))).toMatchObject({
    recipe: 'mine: gradient-noise variance=0.5',
    config: {
      methods: [join(example, 'gradient-noise.ts')],
      recipe: { name: 'mine', plugins: [{ name: 'gradient-noise', options: { variance: 0.5 } }] },
    },
  });
});
