import { expect, test } from 'vitest';
import { scratch } from '../../test/scratch.js';
import { wantedRuns } from '../comparison-runs.js';
import { METHODS } from '../methods.js';
import { namedRecipe, recipeOf } from '../recipes.js';
import type { Setup } from '../setup.js';
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

test("a recipe's epochs take the place of common steps", async () => {
  const recipe = recipeOf({ name: 'vanilla', settings: { epochs: 2 } });
  const { settings } = await runIdentity({
    ...{ task, recipe, settings: { steps: 9 }, seed: 1, engine: 'cpu', modules: [] },
  });
  expect(settings).toMatchObject({ epochs: 2, steps: null });
});

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
  // What is a default already, what a run is called, and what is only printed.
  expect(await key({ settings: { batchSize: 16, learningRate: 5e-5 } })).toBe(plain);
  expect(await key({ recipe: recipeOf({ ...namedRecipe('hype').entry!, name: 'mine' }) })).toBe(plain);
  expect(await key({ settings: { logEvery: 3, metrics: ['f1'], model: 'elsewhere', engine: 'cpu' } })).toBe(
    plain,
  );
  expect(outcomeSettings({})).toMatchObject({ batchSize: 16, learningRate: 5e-5, keepBest: null });
});

test('a multiple of lengths that is given is not the lengths that are chosen, whatever it is', async () => {
  const keys = [await key({}), await key({ settings: { lengthMultiple: 16 } })];
  expect(new Set([...keys, await key({ settings: { lengthMultiple: 8 } })]).size).toBe(3);
  expect(outcomeSettings({})).toMatchObject({ lengthMultiple: 16 });
  expect(outcomeSettings({})).not.toHaveProperty('lengths');
});

test('the code of a metric that chooses the best epoch decides a result', async () => {
  const cost = { name: 'cost', greaterIsBetter: false, compute: () => 0 };
  const kept = recipeOf({ name: 'kept', settings: { keepBest: cost } });
  const made = async (): Promise<string[]> => {
    const modules = [write('cost.ts', `export const made = ${++edits};\n`)];
    return Promise.all([
      key({ modules, settings: { keepBest: cost } }),
      key({ modules, recipe: kept }),
      key({ modules, settings: { keepBest: 'loss' } }),
    ]);
  };
  let edits = 0;
  const [before, after] = [await made(), await made()];
  expect(after.map((one, place) => one === before[place])).toEqual([false, false, true]);
});

test('recipes of code that no key tells apart are refused; those of data are one run', async () => {
  const file = write('config.ts', 'export default {};\n');
  const ofCode = (name: string, plugin: string): ReturnType<typeof recipeOf> =>
    recipeOf({ name, plugins: [() => ({ name: plugin, apply: () => undefined })] });
  const wanted = async (...recipes: ReturnType<typeof recipeOf>[]): Promise<number> => {
    const tasks = [{ ...{ name: 'rte', family: 'rte', settings: {}, identity: task }, setup: {} as Setup }];
    const runs = await wantedRuns({ tasks, recipes, seeds: [1, 2], engine: 'cpu', config: {}, file });
    return new Set(runs.map((run) => run.key)).size;
  };
  await expect(wanted(ofCode('weak', 'noise'), ofCode('strong', 'noise'))).rejects.toThrow(
    "recipes 'weak' and 'strong': code makes their plugins, which have the same names, so that their runs cannot be told apart",
  );
  expect(await wanted(ofCode('weak', 'noise-0.1'), ofCode('strong', 'noise-9'))).toBe(4);
  expect(await wanted(namedRecipe('hype'), recipeOf({ ...namedRecipe('hype').entry!, name: 'mine' }))).toBe(
    2,
  );
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
});

test('code of a method counts wherever a package has it: what the named file imports by relative paths, through others too', async () => {
  const index = write('package/index.ts', "export * from './noise.js';\nimport type { z } from 'zod';\n");
  const noise = (scale: number): string =>
    write('package/noise.ts', `import { a } from "./formula";\nexport const scale = ${scale};\n`);
  const formula = (factor: number): string =>
    write('package/formula/index.ts', `import '../noise.js';\nexport const a = ${factor};\n`);
  const hash = (): Promise<string> => codeHash({ name: 'noise', apply: () => undefined }, [index]);
  noise(1);
  formula(1);
  const before = await hash();
  expect(await hash()).toBe(before);
  noise(2);
  expect(await hash()).not.toBe(before);
  noise(1);
  formula(2);
  expect(await hash()).not.toBe(before);
  formula(1);
  expect(await hash()).toBe(before);
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
