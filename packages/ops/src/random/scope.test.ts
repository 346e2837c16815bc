import { expect, test } from 'vitest';
import { currentDraws, withDraws, type DrawScope } from './scope.js';

const scope = (word: number): DrawScope => ({
  key: [word, 0],
  training: true,
  rate: (_, declared) => declared,
});

test('scopes nest and are restored, also after a throw', () => {
  expect(currentDraws()).toBeUndefined();
  const outer = scope(1);
  const inner = scope(2);
  withDraws(outer, () => {
    expect(withDraws(inner, currentDraws)).toBe(inner);
    expect(currentDraws()).toBe(outer);
    expect(() =>
      withDraws(inner, () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(currentDraws()).toBe(outer);
  });
  expect(currentDraws()).toBeUndefined();
});
