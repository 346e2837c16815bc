import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { scratch } from '../test/scratch.js';
import { readConfig, withFlags } from './config-file.js';
import { recipeOf } from './recipes.js';
import { checkFlags, settingsWith } from './settings.js';

const { write, folder } = scratch();
mkdirSync(join(folder, 'node_modules'));
symlinkSync(
  fileURLToPath(new URL('../../../node_modules/@hypetune', import.meta.url)),
  join(folder, 'node_modules/@hypetune'),
);

test('YAML: settings, recipes by name and written out; paths start at the file', async () => {
  const file = write(
    'a.yaml',
    `task: rte
data: ./glue
validation: rows/dev.tsv
model: pip:some-model
epochs: 2
learningRate: 1e-4
recipes:
  - vanilla
  - name: strong
    dropout: { hidden: 0 }
    plugins:
      - r3f
      - name: hype
        options: { scale: 0.01 }
seeds: [3, 5]
`,
  );
  const config = await readConfig(file);
  expect(config).toMatchObject({
    task: 'rte',
    data: `${folder}/glue`,
    validation: `${folder}/rows/dev.tsv`,
    model: 'pip:some-model',
    epochs: 2,
    learningRate: 1e-4,
    seeds: [3, 5],
  });
  const recipe = recipeOf(config.recipes![1] as never);
  expect(recipe.plugins().map(({ name }) => name)).toEqual(['r3f', 'hype']);
  expect(recipe.dropout).toEqual({ hidden: 0 });
});

test('JSON, and TypeScript with a plugin of its own', async () => {
  expect(await readConfig(write('a.json', '{"task":"spam","limit":10}'))).toEqual({
    task: 'spam',
    limit: 10,
  });
  const file = write(
    'a.ts',
    `import type { Plugin } from '@hypetune/core';
class Own { readonly name: string = 'own'; apply(): void {} }
export default { task: 'spam', recipe: { name: 'own', plugins: [() => new Own() as Plugin, 'hype'] } };
`,
  );
  const config = await readConfig(file);
  expect(
    recipeOf(config.recipe as never)
      .plugins()
      .map(({ name }) => name),
  ).toEqual(['own', 'hype']);
});

test.each([
  ['k.yaml', 'epoch: 3\n', "k.yaml: unknown setting 'epoch', did you mean 'epochs'?"],
  ['t.yaml', 'epochs: many\n', "t.yaml: epochs must be an integer >= 1, got 'many'."],
  ['r.json', '{"learningRate":-1}', 'r.json: learningRate must be a finite number >= 0, got -1.'],
  ['o.yaml', 'recipe: { name: a, options: {} }\n', "o.yaml: unknown setting 'recipe.options'"],
  ['m.yaml', 'metrics: [3]\n', 'm.yaml: metrics[0] must be the name of a metric, got 3.'],
  ['s.yaml', 'a: [1\n', /s\.yaml: /],
  ['s.json', '{', /s\.json: /],
  ['d.ts', 'throw new Error("broken")', 'd.ts: broken'],
  ['n.ts', 'export const a = 1;', 'n.ts: its default export must be settings by their names'],
  ['c.toml', '', 'c.toml: a config file ends in'],
])('%s is refused with its place', async (name, content, message) => {
  await expect(readConfig(write(name, content))).rejects.toThrow(message);
});

test('a missing file, and flags by the name they are written with', async () => {
  await expect(readConfig(`${folder}/none.yaml`)).rejects.toThrow('none.yaml: there is no such file.');
  expect(() => checkFlags({ batchSize: 0 })).toThrow('--batch-size must be an integer >= 1, got 0.');
  expect(() => checkFlags({ epochs: 1.5 })).toThrow('--epochs must be an integer >= 1, got 1.5.');
});

test("folders of models among a recipe's options and a grid's values start at the file, as every path", async () => {
  write(
    'own.ts',
    `import { defineMethod, z } from '@hypetune/core';
const model = z.string().meta({ model: true });
export const own = defineMethod({ name: 'own', summary: 'x', options: { other: model, text: z.string().default('') }, apply() {} } as never);
`,
  );
  const file = write(
    'teachers.yaml',
    `methods: [./own.ts]
recipes:
  - name: a
    plugins:
      - { name: distillation, options: { teacher: runs/big } }
      - { name: own, options: { other: ../big, text: runs/big } }
    grid: { distillation.teacher: [./x, 'pip:y'], distillation.weight: [0.5] }
grid: { distillation.teacher: [/z], own.other: [z] }
`,
  );
  const { recipes, grid } = await readConfig(file);
  expect(recipes).toEqual([
    {
      name: 'a',
      plugins: [
        { name: 'distillation', options: { teacher: join(folder, 'runs/big') } },
        { name: 'own', options: { other: join(folder, '../big'), text: 'runs/big' } },
      ],
      grid: { 'distillation.teacher': [join(folder, 'x'), 'pip:y'], 'distillation.weight': [0.5] },
    },
  ]);
  expect(grid).toEqual({ 'distillation.teacher': ['/z'], 'own.other': [join(folder, 'z')] });
});

test('flags win over the file and over its tasks; one of two that exclude each other takes the place of the other', () => {
  const file = { steps: 100, tasks: ['rte', { name: 'few', train: 'a.csv', limit: 4, steps: 9 }] };
  expect(withFlags(file, { epochs: 5, limit: 8 })).toEqual({
    ...{ epochs: 5, limit: 8 },
    tasks: ['rte', { name: 'few', train: 'a.csv', limit: 8, epochs: 5 }],
  });
  expect(withFlags(file, { task: 'cola' })).toEqual({ task: 'cola', steps: 100 });
  const few = { name: 'few', limit: 4 };
  expect(withFlags({ tasks: ['rte', few] }, { train: 'b.csv' })).toEqual({
    ...{ train: 'b.csv', tasks: [{ ...few, train: 'b.csv' }] },
  });
  expect(withFlags({ ...file, task: 'rte' }, { train: 'b.csv' })).toEqual({ train: 'b.csv', steps: 100 });
  const table = { train: 'a.csv', textColumn: 'text', problem: 'classification' } as const;
  expect(withFlags({ ...table, limit: 4 }, { task: 'rte', data: 'glue' })).toEqual({
    ...{ task: 'rte', data: 'glue', limit: 4 },
  });
  expect(settingsWith({ ...table, test: 'b.csv', delimiter: ';' }, { task: 'rte' })).toEqual({ task: 'rte' });
  expect(settingsWith({ task: 'rte', test: 'b.tsv' }, { task: 'cola' })).toEqual({
    task: 'cola',
    test: 'b.tsv',
  });
  expect(settingsWith({ task: 'rte', data: 'glue' }, { train: 'a.csv' })).toEqual({ train: 'a.csv' });
  expect(settingsWith({ epochs: 5 }, { steps: 100 })).toEqual({ epochs: 5, steps: 100 });
  expect(settingsWith({ problem: 'classification' }, { regression: true })).toEqual({ regression: true });
  expect(settingsWith({ labelColumns: ['a', 'b'] }, { labelColumn: 'c' })).toEqual({ labelColumn: 'c' });
});

test.each([
  ['empty.yaml', '', 'it must be settings by their names, as task: spam, got nothing.'],
  ['list.yaml', '- spam', 'it must be settings by their names, as task: spam, got ["spam"].'],
  [
    'text.json',
    '"spam"',
    'it must be settings by their names, as { "task": "spam", "epochs": 3 }, got \'spam\'.',
  ],
  ['none.ts', 'export const a = 1;', 'its default export must be settings by their names, as export default'],
  ['made.ts', 'export default function made() {}', 'got function made.'],
])('%s holds no settings', async (name, content, message) => {
  await expect(readConfig(write(name, content))).rejects.toThrow(message);
});
