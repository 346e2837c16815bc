import type { Plugin } from '@hypetune/core';
import { expect, test } from 'vitest';
import { METHODS } from './methods.js';
import { checkOptionsUsed, describeRecipe, methodOptions, namedRecipe, recipeOf } from './recipes.js';

const names = (plugins: Plugin[]): string[] => plugins.map(({ name }) => name);

test('vanilla is no method at all; nodrop turns hidden dropout off and nothing else', () => {
  expect(namedRecipe('vanilla')).toMatchObject({ name: 'vanilla', dropout: {} });
  expect(namedRecipe('vanilla').plugins()).toEqual([]);
  expect(namedRecipe('nodrop')).toMatchObject({ name: 'nodrop', dropout: { hidden: 0 } });
  expect(namedRecipe('nodrop').plugins()).toEqual([]);
});

test('a stack is made anew for every run, in its order', () => {
  const recipe = namedRecipe('hype+r3f');
  expect(names(recipe.plugins())).toEqual(['hype', 'r3f']);
  expect(recipe.plugins()[0]).not.toBe(recipe.plugins()[0]);
  expect(describeRecipe(recipe)).toBe('hype+r3f: hype hiddenDropout=0 + r3f');
  expect(describeRecipe(namedRecipe('vanilla'))).toBe('vanilla: plain fine-tuning');
  expect(describeRecipe(namedRecipe('nodrop'))).toBe('nodrop: hidden dropout 0');
});

test('options reach their method, over the recipe’s own', () => {
  const options = methodOptions([
    'hype.scale=1e-3',
    'hype.noise=uniform',
    'hype.hiddenDropout=0.1',
    'hype.layers=[0,1]',
  ]);
  expect(options).toEqual({ hype: { scale: 1e-3, noise: 'uniform', hiddenDropout: 0.1, layers: [0, 1] } });
  expect(describeRecipe(namedRecipe('hype', options))).toBe(
    'hype: hype hiddenDropout=0.1 scale=0.001 noise="uniform" layers=[0,1]',
  );
});

test.each([
  ['hyp', {}, "there is no method 'hyp', did you mean 'hype'?"],
  ['vanila', {}, "there is no method 'vanila', did you mean 'vanilla'?"],
  ['vanilla+hype', {}, "recipe 'vanilla+hype': 'vanilla' means no method at all"],
  ['hype+', {}, "recipe 'hype+': write vanilla"],
  ['hype', { hype: { scal: 1 } }, "hype: unknown option 'scal'"],
  ['hype', { hype: { scale: -1 } }, 'hype: scale must be'],
])('%s %o is refused at once', (name, options, message) => {
  expect(() => namedRecipe(name, options)).toThrow(message);
});

test('options of a method that no recipe has, and misspelt ones, are refused', () => {
  expect(() => {
    checkOptionsUsed({ r3f: {} }, [namedRecipe('hype')]);
  }).toThrow("no recipe of this command has the method 'r3f'");
  expect(() => methodOptions(['hype=3'])).toThrow(
    "--option: must be written method.option=value, got 'hype=3'.",
  );
  expect(() => methodOptions(['hyp.scale=3'])).toThrow("no method 'hyp'");
});

test('a recipe written out: names, options, functions; ready-made plugins only where one run is made', () => {
  const plugin: Plugin = { name: 'own', apply: () => undefined };
  const recipe = recipeOf({
    name: 'mine',
    plugins: ['r3f', { name: 'hype', options: { scale: 0.1 } }, () => plugin],
  });
  expect(names(recipe.plugins())).toEqual(['r3f', 'hype', 'own']);
  expect(recipe.entry).toBeUndefined();
  expect(describeRecipe(recipe)).toBe('mine: r3f + hype + own');
  expect(recipeOf({ name: 'mine', plugins: [plugin] }, { single: true }).plugins()).toEqual([plugin]);
  expect(() => recipeOf({ name: 'mine', plugins: [plugin] })).toThrow(
    "plugin 'own' would be shared by several runs",
  );
});

test('every method makes a plugin from no options', () => {
  expect(METHODS.size).toBeGreaterThanOrEqual(18);
  for (const method of METHODS.values())
    // A teacher is another model, which no default can be.
    if (method.name !== 'distillation') expect(method.create({}).name).not.toBe('');
});
