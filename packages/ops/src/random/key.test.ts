import { expect, test } from 'vitest';
import { fnv1a, foldIn, seedKey } from './key.js';
import { threefry } from './threefry.js';

test('seedKey keeps all of a seed', () => {
  expect(seedKey(42)).toEqual([42, 0]);
  expect(seedKey(2 ** 40 + 7)).toEqual([7, 256]);
  expect(seedKey(Number.MAX_SAFE_INTEGER)).toEqual([0xffffffff, 0x1fffff]);
  for (const seed of [-1, 1.5, NaN, 2 ** 53])
    expect(() => seedKey(seed)).toThrow(/seedKey: seed must be a whole number/);
});

test('fnv1a: the published values of its authors', () => {
  expect(fnv1a('')).toBe(0x811c9dc5);
  expect(fnv1a('a')).toBe(0xe40c292c);
  expect(fnv1a('foobar')).toBe(0xbf9cf968);
});

test('foldIn is pure, depends on every label and their order, and folds label by label', () => {
  const run = seedKey(1);
  expect(foldIn(run, 3, 'main')).toEqual(foldIn(run, 3, 'main'));
  expect(foldIn(run, 3, 'main')).toEqual(foldIn(foldIn(run, 3), 'main'));
  const paths = [
    [],
    [3],
    ['3'],
    ['main'],
    [3, 'main'],
    ['main', 3],
    [4, 'main'],
    [3 + 2 ** 32, 'main'],
    [0],
    [''],
  ];
  const keys = paths.map((labels) => foldIn(run, ...labels).join());
  expect(new Set(keys).size).toBe(paths.length);
  expect(() => foldIn(run, -1)).toThrow(/foldIn: a number label must be a whole number/);
});

test('derived keys are no blocks of a draw under the same key', () => {
  const run = seedKey(1);
  const draws = new Set(Array.from({ length: 10_000 }, (_, c) => threefry(run, c, 0).join()));
  const derived = [
    ...Array.from({ length: 1000 }, (_, i) => foldIn(run, i)),
    foldIn(run, ''),
    foldIn(run, 'main'),
  ];
  expect(derived.filter((key) => draws.has(key.join()))).toEqual([]);
});
