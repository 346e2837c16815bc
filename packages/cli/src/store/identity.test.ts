import type { Metric } from '@hypetune/core';
import { expect, test } from 'vitest';
import { scratch } from '../../test/scratch.js';
import { METHODS } from '../methods.js';
import { namedRecipe, recipeOf } from '../recipes.js';
import { hashOfRows } from '../tasks/data-record.js';
import { codeHash, outcomeSettings, runIdentity, type TaskIdentity } from './identity.js';
import { keyOf } from './store.js';

const { write } = scratch();

const task: TaskIdentity = {
  task: { name: 'rte', kind: 'class', labels: ['no', 'yes'] },
  ...{ rows: { train: 'a', validation: 'b' }, weights: 'c', maxLength: 128 },
};

const key = async (
  change: Partial<Parameters<typeof runIdentity>[0]> & { readonly recipe?: ReturnType<typeof namedRecipe> },
): Promise<string> =>
  keyOf(
    await runIdentity({
      ...{ task, recipe: namedRecipe('hype'), settings: {}, seed: 1, engine: 'cpu', modules: [] },
      ...change,
    }),
  );

test('a key changes with all that decides a result, and with nothing else', async () => {
  const plain = await key({});
  const others = await Promise.all([
    key({ seed: 2 }),
    key({ engine: 'native' }),
    key({ settings: { learningRate: 1e-3 } }),
    key({ settings: { keepBest: 'loss' } }),
    key({ recipe: namedRecipe('hype', { hype: { scale: 0.1 } }) }),
    key({
      recipe: recipeOf({ name: 'hype', plugins: namedRecipe('hype').entry!.plugins, settings: { steps: 3 } }),
    }),
    key({ task: { ...task, weights: 'd' } }),
    key({ task: { ...task, rows: { train: 'z', validation: 'b' } } }),
    key({ task: { ...task, maxLength: 64 } }),
  ]);
  expect(new Set([plain, ...others]).size).toBe(10);
  // Asked for, multiples are what lengths are; else they are chosen from the rows.
  expect(await key({ settings: { lengthMultiple: 16 } })).not.toBe(plain);
  // What is a default already, what a run is called, and what is only printed.
  expect(await key({ settings: { batchSize: 16, learningRate: 5e-5 } })).toBe(plain);
  expect(await key({ recipe: recipeOf({ ...namedRecipe('hype').entry!, name: 'mine' }) })).toBe(plain);
  expect(await key({ settings: { logEvery: 3, metrics: ['f1'], model: 'elsewhere', engine: 'cpu' } })).toBe(
    plain,
  );
  expect(outcomeSettings({})).toMatchObject({ batchSize: 16, learningRate: 5e-5, keepBest: null });
});

test('every shipped method has a package that is hashed; code of others is hashed by its file', async () => {
  const hashes = await Promise.all([...METHODS.values()].map((method) => hashOf(method)));
  expect(new Set(hashes).size).toBeGreaterThan(METHODS.size / 2);
  const file = write('mine.ts', 'export const mine = 1;\n');
  const mine = { name: 'hype', apply: () => undefined };
  const before = await codeHash(mine, [file]);
  expect(before).not.toBe(await hashOf(METHODS.get('hype')!));
  write('mine.ts', 'export const mine = 2;\n');
  expect(await codeHash(mine, [file])).not.toBe(before);
  // Likewise a metric of one's own that chooses the epoch.
  const cost = { name: 'cost', greaterIsBetter: false } as Metric;
  const chosen = await key({ settings: { keepBest: cost }, modules: [file] });
  write('mine.ts', 'export const mine = 3;\n');
  expect(await key({ settings: { keepBest: cost }, modules: [file] })).not.toBe(chosen);
});

const hashOf = (method: ReturnType<typeof METHODS.get> & {}): Promise<string> =>
  codeHash({ name: method.name, apply: () => undefined, method, options: {}, given: {} } as never, []);

test('rows are hashed with their labels and their order', () => {
  const rows = [
    { text: 'a', label: 1 },
    { text: 'b', label: 0 },
  ];
  const [first, second] = rows as [(typeof rows)[0], (typeof rows)[0]];
  const hashes = [
    rows,
    [second, first],
    [first, { ...second, label: 1 }],
    [first, { ...second, pair: 'c' }],
  ].map(hashOfRows);
  expect(new Set(hashes).size).toBe(4);
});
