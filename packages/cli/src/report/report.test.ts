import { expect, test } from 'vitest';
import { type ComparedRun, compareRecipes, comparisonReport } from './comparison.js';
import { pairedDifference, summarize } from './statistics.js';

test('a paired difference, as scipy.stats.ttest_rel', () => {
  const { mean, p } = pairedDifference([0.7, 0.71, 0.74, 0.7, 0.72], [0.71, 0.74, 0.73, 0.72, 0.75]);
  expect(mean).toBeCloseTo(0.016, 12);
  expect(p).toBeCloseTo(0.09930068321372679, 9);
});

test('no test where none can be made', () => {
  expect(pairedDifference([0.5], [0.75])).toEqual({ mean: 0.25, p: undefined });
  expect(pairedDifference([0.25, 0.5], [0.5, 0.75])).toEqual({ mean: 0.25, p: undefined });
  expect(pairedDifference([0.5, 0.75], [0.5, 0.75])).toEqual({ mean: 0, p: 1 });
  expect(summarize([2])).toEqual({ count: 1, mean: 2, deviation: undefined, max: 2 });
});

const run = (recipe: string, seed: number, accuracy: number): ComparedRun => ({
  ...{
    recipe,
    seed,
    metrics: { accuracy, f1: accuracy / 2 },
    loss: 0.5,
    trainLoss: 0.4,
    steps: 10,
    seconds: 2,
  },
});
const runs = [
  run('vanilla', 1, 0.7),
  run('hype', 1, 0.8),
  run('vanilla', 2, 0.6),
  run('hype', 2, 0.9),
  run('hype', 3, 1),
];

test('recipes are paired with the first by seed', () => {
  const [vanilla, hype] = compareRecipes(runs, 'accuracy');
  expect(vanilla).toMatchObject({ recipe: 'vanilla', count: 2, max: 0.7 });
  expect(vanilla!.difference).toBeUndefined();
  expect(vanilla!.deviation).toBeCloseTo(0.0707107, 6);
  expect(hype).toMatchObject({ count: 3, difference: { pairs: 2 } });
  expect(hype!.difference!.mean).toBeCloseTo(0.2, 12);
});

test('the report has a line a run and a line a recipe', () => {
  const text = comparisonReport(runs, ['accuracy', 'f1']);
  expect(text).toMatch(/^recipe +seed +accuracy +f1 +loss +train loss +steps +seconds$/m);
  expect(text).toMatch(/^hype +3 +1\.0000 +0\.5000 +0\.5000 +0\.4000 +10 +2\.0$/m);
  expect(text).toMatch(/^hype +3 +0\.9000 +0\.1000 +1\.0000 +\+0\.2000 +0\.\d{3}$/m);
  expect(text).toMatch(/^vanilla +2 +0\.6500 +0\.0707 +0\.7000 +- +-$/m);
});
