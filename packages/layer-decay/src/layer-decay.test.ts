import { expect, test } from 'vitest';
import { depth, layerDecay } from './index.js';

const hidden = (layer: number) => ({ site: 'hidden', layer }) as const;

test('depth: head and pooler 0, top layer 1, embedding one below the lowest of 12', () => {
  expect(depth({ site: 'head', layer: undefined }, 12, 'revisit')).toBe(0);
  expect(depth({ site: 'pooler', layer: undefined }, 12, 'revisit')).toBe(0);
  expect([11, 10, 0].map((layer) => depth(hidden(layer), 12, 'revisit'))).toEqual([1, 2, 12]);
  expect(depth({ site: 'embedding', layer: undefined }, 12, 'revisit')).toBe(13);
});

test('depth: electra skips one under the head', () => {
  expect(depth({ site: 'head', layer: undefined }, 12, 'electra')).toBe(0);
  expect([11, 0].map((layer) => depth(hidden(layer), 12, 'electra'))).toEqual([2, 13]);
  expect(depth({ site: 'embedding', layer: undefined }, 12, 'electra')).toBe(14);
});

test('the rate of the layer under the top one at decay 0.5 is a quarter', () => {
  expect(2e-5 * 0.5 ** depth(hidden(10), 12, 'revisit')).toBeCloseTo(5e-6, 15);
});

test('options: defaults and errors', () => {
  expect(layerDecay().options).toEqual({ decay: 0.95, counting: 'revisit' });
  expect(() => layerDecay({ decay: 0 })).toThrow(
    'layer-decay: decay must be a finite number > 0 and <= 1, got 0.',
  );
  expect(() => layerDecay.create({ counting: 'bert' })).toThrow(
    "layer-decay: counting must be one of 'revisit', 'electra', got 'bert'.",
  );
});
