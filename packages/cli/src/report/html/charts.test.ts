import { expect, test } from 'vitest';
import { curveChart } from './charts.js';

test('a curve may have very many points', () => {
  const points = Array.from({ length: 100_000 }, (_, place) => ({ x: place + 1, y: 1, low: 0, high: 2 }));
  const chart = curveChart([{ name: 'loss', series: 0, points }], 'Loss', { x: 'step', y: 'loss' });
  expect(chart.includes('Loss, at the end: loss 1 at 100000')).toBe(true);
});
