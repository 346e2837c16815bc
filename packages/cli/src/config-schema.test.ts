import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { call } from '../test/call.js';
import { configJsonSchema, configSchemaText } from './config-schema.js';

// `paper`, what a method's source uses, is for pages.
const validate = new Ajv2020({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  keywords: ['paper'],
}).compile(configJsonSchema());
const problems = (yaml: string): string[] => {
  validate(parse(yaml));
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }: ErrorObject) =>
      `${instancePath}: ${message!} ${JSON.stringify(params)}`,
  );
};

test('config.schema.json is what the declarations say (else: npm run docs), and hypetune schema prints it', async () => {
  expect(readFileSync(new URL('../config.schema.json', import.meta.url), 'utf8')).toBe(configSchemaText());
  expect((await call('schema')).out).toBe(configSchemaText());
});

test.each([
  ['settings', 'task: rte\ndata: ./glue\nepochs: 3\nlearningRate: 1e-4\nmetrics: [accuracy, f1]\n'],
  ['a recipe by name', 'recipe: hype + r3f+nodrop\nseed: 3\n'],
  [
    'recipes written out',
    `recipes:
  - vanilla
  - name: strong
    dropout: { hidden: 0, attention: 0.1 }
    plugins:
      - r3f
      - name: hype
        options: { scale: 0.01, noise: uniform, layers: [0, 1] }
      - name: r4f
seeds: [3, 5]
`,
  ],
  [
    'methods of one’s own',
    'methods: [./noise.ts]\nrecipes: [hype+noise, { name: a, plugins: [{ name: noise, options: { x: 1 } }, hype] }]\n',
  ],
  ['metrics of one’s own', 'methods: [./cost.ts]\nmetrics: [accuracy, cost]\nkeepBest: cost\n'],
  ['weights of classes', 'classWeights: [1, 2.5]\nkeepBest: loss\n'],
  ['a teacher', 'recipe: { name: a, plugins: [{ name: distillation, options: { teacher: ./runs/big } }] }\n'],
])('good: %s', (_, yaml) => {
  expect(problems(yaml)).toEqual([]);
});

test.each([
  [
    'an unknown setting',
    'epoch: 3\n',
    ': must NOT have additional properties {"additionalProperty":"epoch"}',
  ],
  ['a wrong type', 'epochs: many\n', '/epochs: must be integer'],
  ['a value out of range', 'learningRate: -1\n', '/learningRate: must be >= 0'],
  ['an unknown method', 'recipe: hype+r4d\n', '/recipe: must match pattern'],
  [
    'a teacher that is no folder',
    'recipe: { name: a, plugins: [{ name: distillation, options: { teacher: 3 } }] }\n',
    '/recipe/plugins/0/options/teacher: must be string',
  ],
  ['an unknown metric', 'metrics: [accurcy]\n', '/metrics/0: must be equal to one'],
  ['weights of another kind', 'classWeights: equal\n', '/classWeights: must be'],
  [
    'the same, written out',
    'recipe: { name: a, plugins: [r4d] }\n',
    '/recipe/plugins/0: must be equal to one',
  ],
  [
    'an unknown option',
    'recipes: [{ name: a, plugins: [{ name: hype, options: { scal: 1 } }] }]\n',
    '/recipes/0/plugins/0/options: must NOT have additional properties {"additionalProperty":"scal"}',
  ],
  [
    'an option out of range',
    'recipe: { name: a, plugins: [{ name: mixout, options: { p: 2 } }] }\n',
    '/recipe/plugins/0/options/p: must be <= 1',
  ],
  [
    'an unknown choice, where a config brings methods',
    'methods: [./noise.ts]\nrecipe: { name: a, plugins: [{ name: r3f, options: { noise: pink } }] }\n',
    '/recipe/plugins/0/options/noise: must be equal to one of the allowed values',
  ],
])('bad: %s', (_, yaml, message) => {
  expect(problems(yaml).filter((problem) => problem.startsWith(message))).not.toEqual([]);
});
