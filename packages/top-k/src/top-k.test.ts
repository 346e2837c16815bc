import { expect, test } from 'vitest';
import { topK, trains } from './index.js';

test('trains: the top two of four layers, never the embedding', () => {
  const hidden = [0, 1, 2, 3].map((layer) => trains({ site: 'hidden', layer }, 2, 4));
  expect(hidden).toEqual([false, false, true, true]);
  expect(trains({ site: 'embedding', layer: undefined }, 2, 4)).toBe(false);
  expect(trains({ site: 'embedding', layer: undefined }, 4, 4)).toBe(false);
});

test('trains: head and pooler even with no layer', () => {
  expect(trains({ site: 'head', layer: undefined }, 0, 4)).toBe(true);
  expect(trains({ site: 'pooler', layer: undefined }, 0, 4)).toBe(true);
  expect(trains({ site: 'hidden', layer: 3 }, 0, 4)).toBe(false);
});

test('trains: one layer more than there are is everything', () => {
  expect(trains({ site: 'embedding', layer: undefined }, 5, 4)).toBe(true);
});

test('options: defaults and errors', () => {
  expect(topK().options).toEqual({ layers: 3 });
  expect(() => topK({ layers: 1.5 })).toThrow('top-k: layers must be an integer >= 0, got 1.5.');
  expect(() => topK.create({ k: 2 })).toThrow("top-k: unknown option 'k'; it has 'layers'.");
});
