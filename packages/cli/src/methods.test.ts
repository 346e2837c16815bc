import { cpSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hype } from '@hypetune/hype';
import { beforeAll, expect, test } from 'vitest';
import { call } from '../test/call.js';
import { scratch } from '../test/scratch.js';
import { sentiment, tinyModel } from '../test/tiny-model.js';
import { readConfig } from './config-file.js';
import { METHODS, modulePath, openModules } from './methods.js';
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

test('a package is found as import finds it, a file without ./ too', () => {
  const source = readFileSync(join(example, 'gradient-noise.ts'), 'utf8');
  for (const [name, exports] of [
    ['hypetune-import', { import: './index.ts' }],
    ['@me/both', { '.': { require: './old.cjs', import: { types: './x.d.ts', default: './index.ts' } } }],
  ] as const) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, type: 'module', exports }));
    const file = write(`node_modules/${name}/index.ts`, source);
    expect(modulePath(name, join(folder, 'x.yaml'))).toBe(realpathSync(file));
  }
  const beside = write('beside.ts', source);
  expect(modulePath('beside.ts', join(folder, 'x.yaml'))).toBe(beside);
});

test('recipes and options know them by name', async () => {
  const { methods: known } = await openModules([join(example, 'gradient-noise.ts')]);
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
  [
    'methods: [./empty.ts]',
    /empty\.ts: it exports neither a method \(what defineMethod returns\) nor a metric/,
  ],
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

const cost = `import type { Metric } from '@hypetune/core';
/** A missed class 1 costs five times a false alarm. */
export const cost: Metric = {
  name: 'cost',
  greaterIsBetter: false,
  compute: (predictions, labels) =>
    predictions.reduce((sum, { value }, row) => sum + (value === labels[row] ? 0 : value === 0 ? 5 : 1), 0),
};
`;

test('a config brings metrics, named like those here in train, evaluate and compare', async () => {
  write('cost.ts', cost);
  const text = 'methods: [./cost.ts]\nmetrics: [cost, accuracy]\nkeepBest: cost\npatience: 3\n';
  const config = write('cost.yaml', text);
  const out = join(folder, 'cost');
  const trained = await call('train', '--config', config, ...training, '--recipe', 'vanilla', '--out', out);
  expect([trained.code, trained.out]).toEqual([0, expect.stringMatching(/^cost \d+\.0000, accuracy /)]);
  const measured = await call('evaluate', out, '--engine', 'cpu');
  expect(measured.out.split(' on ')[0]).toBe(trained.out.split(' on ')[0]);
  const compared = await call(
    'compare',
    '--config',
    config,
    ...training,
    '--recipes',
    'vanilla',
    '--seeds',
    '1',
  );
  expect(compared.out).toMatch(/^recipe +seed +cost +accuracy/m);
  expect((await call('predict', out, 'the film was good', '--engine', 'cpu')).code).toBe(0);
  const misspelt = await call('train', '--config', config, ...training, '--metrics', 'accurcy');
  expect(misspelt.error).toMatch("metrics: there is no metric 'accurcy', did you mean 'accuracy'?");
  write('taken.ts', cost.replace("'cost'", "'f1'"));
  const taken = await call('train', '--config', write('taken.yaml', 'methods: [./taken.ts]'), ...training);
  expect(taken.error).toMatch(/taken\.ts: there is a metric 'f1' already; give it another name\./);
});

test('where a metric is no number a comparison has none: neither an error nor a 0 in a mean', async () => {
  const half = cost.replace('compute: (', 'compute: (predictions, labels) => NaN,\n  other: (');
  write('nothing.ts', half.replace("'cost'", "'nothing'").replaceAll('cost', 'nothing'));
  const config = write('nothing.yaml', 'methods: [./nothing.ts]\nmetrics: [nothing, accuracy]\n');
  const flags = ['--config', config, ...training, '--recipes', 'vanilla,nodrop', '--seeds', '1'];
  const { code, out } = await call('compare', ...flags);
  expect(code).toBe(0);
  expect(out).toMatch(/^vanilla +1 +- +\d\.\d{4} /m);
  expect(out).toMatch(/^vanilla +0 +- /m);
});

test('a TypeScript config holds metrics themselves; what measures a saved run then is to be named', async () => {
  write('cost.ts', cost);
  const config = write(
    'measured.ts',
    "import { cost } from './cost.ts';\nexport default { metrics: ['accuracy', cost], keepBest: cost, recipe: 'vanilla' };\n",
  );
  const out = join(folder, 'measured');
  const trained = await call('train', '--config', config, ...training, '--out', out);
  expect([trained.code, trained.out]).toEqual([0, expect.stringMatching(/^accuracy \d\.\d+, cost \d+/)]);
  expect(JSON.parse(readFileSync(join(out, 'hypetune.json'), 'utf8'))).toMatchObject({
    ...{
      task: { metrics: ['accuracy', 'cost'] },
      config: { metrics: ['accuracy', 'cost'], keepBest: 'cost' },
    },
  });
  expect((await call('evaluate', out, '--engine', 'cpu')).error).toMatch("there is no metric 'cost'");
  const named = await call('evaluate', out, '--engine', 'cpu', '--metrics', 'accuracy');
  expect(named.out).toMatch(/^accuracy \d\.\d+, loss/);
});

test('distillation from a saved run, by a flag and by a config', async () => {
  const teacher = join(folder, 'teacher');
  await call('train', ...training, '--steps', '8', '--recipe', 'vanilla', '--out', teacher);
  const flags = ['--recipe', 'distillation', '--option', `distillation.teacher=${teacher}`];
  const out = join(folder, 'student');
  const student = await call('train', ...training, ...flags, '--seed', '3', '--out', out);
  expect([student.code, student.error]).toEqual([
    0,
    expect.stringContaining(`distillation: distillation teacher="${teacher}"`),
  ]);
  const config = write(
    'distil.yaml',
    'recipes: [vanilla, { name: d, plugins: [{ name: distillation, options: { teacher: teacher } }] }]\n',
  );
  const json = join(folder, 'distil.json');
  const compared = await call('compare', '--config', config, ...training, '--seeds', '1', '--json', json);
  expect(compared.code).toBe(0);
  expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject({
    recipes: [{}, { plugins: [{ name: 'distillation', options: { teacher } }] }],
  });
  const train = (name: string): ReturnType<typeof call> =>
    call('train', ...training, '--recipe', 'distillation', '--option', `distillation.teacher=${name}`);
  expect((await train(join(folder, 'none'))).error).toMatch(/none/);
  // Another order of the classes, then another vocabulary.
  const file = join(teacher, 'config.json');
  const saved = readFileSync(file, 'utf8');
  const bad = (name: string, change: (folder: string) => void): string => {
    const copy = join(folder, name);
    cpSync(teacher, copy, { recursive: true });
    for (const record of ['hypetune.json', 'checksums.sha256']) rmSync(join(copy, record), { force: true });
    change(copy);
    return copy;
  };
  const turned = bad('turned', (copy) => {
    write('turned/config.json', saved.replace('"0": "no"', '"0": "yes"').replace('"1": "yes"', '"1": "no"'));
    expect(copy).toBe(join(folder, 'turned'));
  });
  expect((await train(turned)).error).toMatch(/turned: the model tells yes, no, the task has no, yes/);
  const other = bad('other', (copy) => {
    const vocabulary = readFileSync(join(copy, 'vocab.txt'), 'utf8').trim().split('\n');
    write('other/vocab.txt', `${[...vocabulary.slice(0, 5), ...vocabulary.slice(5).reverse()].join('\n')}\n`);
    rmSync(join(copy, 'tokenizer.json'), { force: true });
  });
  expect((await train(other)).error).toMatch(
    /other: the model reads other tokens than the one that is tuned/,
  );
});
