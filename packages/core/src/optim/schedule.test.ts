import { expect, test } from 'vitest';
import { scheduleFactor } from './schedule.js';

const factors = (decay: 'linear' | 'cosine' | 'constant', warmup: number, total: number): number[] =>
  Array.from({ length: total }, (_, place) => scheduleFactor({ warmup, decay }, place + 1, total));

// transformers' get_linear_schedule_with_warmup(optimizer, 2, 10), factors of the ten updates.
test('linear warm-up and decay as transformers does it', () => {
  const wanted = [0, 0.5, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125];
  expect(factors('linear', 2, 10)).toEqual(wanted);
  expect(factors('linear', 0.2, 10)).toEqual(wanted);
});

test('constant after warm-up, and half a cosine', () => {
  expect(factors('constant', 2, 4)).toEqual([0, 0.5, 1, 1]);
  expect(factors('cosine', 0, 4).map((factor) => Number(factor.toFixed(6)))).toEqual([
    1, 0.853553, 0.5, 0.146447,
  ]);
});

test('no warm-up starts at the peak', () => {
  expect(factors('linear', 0, 4)).toEqual([1, 0.75, 0.5, 0.25]);
});
