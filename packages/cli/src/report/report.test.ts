import { effectSize, pairedT, pairsNeeded } from '@hypetune/statistics';
import { expect, test } from 'vitest';
import type { Cell, ComparisonPlan } from '../store/plan.js';
import type { StoredRecord } from '../store/record.js';
import type { StoredRun } from '../store/store.js';
import { chosenPoints, compareCells } from './comparison.js';
import { comparisonText, signed } from './comparison-text.js';
import { comparisonPage } from './html/comparison-page.js';
import { rowValues } from './intervals.js';

const plan = (recipes: string[], tasks = ['rte']): ComparisonPlan => ({
  ...{ version: 1, command: ['hypetune', 'compare'], seeds: [1, 2, 3], runs: [] },
  recipes: recipes.map((name) => ({ name, family: name.split(' ')[0]!, description: `${name}: plain` })),
  tasks: tasks.map((name) => ({
    ...{ name, metrics: ['accuracy', 'f1'], model: 'tiny', measured: '00' },
    rows: { train: 9, validation: 4 },
  })),
});

const stored = (status: 'finished' | 'failed'): StoredRun =>
  ({
    record: { status, why: 'the loss is NaN', steps: 10, trainLoss: 0.4, validation: { loss: 0.5 } },
    cost: { seconds: 2.5, compileSeconds: 0.5 },
  }) as unknown as StoredRun;

const cell = (recipe: string, seed: number, accuracy?: number, task = 'rte'): Cell => ({
  ...{ recipe, task, seed, key: `${recipe}${seed}` },
  run: stored(accuracy === undefined ? 'failed' : 'finished'),
  ...(accuracy !== undefined && {
    metrics: { accuracy, f1: accuracy / 2 },
    choosing: { accuracy: 1 - accuracy },
  }),
});

const vanilla = [0.7, 0.6, 0.65, 0.62];
const hype = [0.74, 0.66, 0.68, 0.63];
const cells = [
  ...vanilla.map((value, place) => cell('vanilla', place + 1, value)),
  ...hype.map((value, place) => cell('hype', place + 1, value)),
  ...[cell('r3f', 1, 0.7), cell('r3f', 2, 0.5), cell('r3f', 3)],
];

test('recipes are paired with the first by seed; p values are corrected over the recipes', () => {
  const four = [...cells, ...hype.map((value, place) => cell('mixout', place + 1, value - 0.02))];
  const { figures, failed } = compareCells(plan(['vanilla', 'hype', 'r3f', 'mixout']), four);
  const [first, second, third, fourth] = figures;
  expect(figures).toHaveLength(8);
  expect(first).toMatchObject({ recipe: 'vanilla', metric: 'accuracy', best: 0.7, difference: undefined });
  expect(second!.difference!.mean).toBeCloseTo(0.035, 12);
  const t = pairedT(vanilla, hype)!;
  expect(second!.difference).toMatchObject({ pairs: 4, p: t.p, interval: t.interval, correctedP: 2 * t.p });
  expect(fourth!.difference!.correctedP).toBe(Math.max(fourth!.difference!.p!, 2 * t.p));
  // Two pairs are left of r3f: nothing is said of them.
  expect(third).toMatchObject({ failed: 1, values: [0.7, 0.5], difference: { pairs: 2, p: undefined } });
  expect(third!.difference!.interval).toBeUndefined();
  expect(failed.map(({ recipe, seed }) => [recipe, seed])).toEqual([['r3f', 3]]);
});

test('how many seeds would tell is said of the corrected p, which they are told by', () => {
  const rival = [0.72, 0.6, 0.7, 0.62];
  const recipes = ['vanilla', ...Array.from('abcdefgh')];
  const all = recipes.flatMap((recipe) =>
    (recipe === 'vanilla' ? vanilla : rival).map((value, place) => cell(recipe, place + 1, value)),
  );
  const { difference } = compareCells(plan(recipes), all).figures[1]!;
  const effect = effectSize(vanilla, rival)!;
  expect(difference!.pairsNeeded).toBe(pairsNeeded(effect, { alpha: 0.05 / 8 }));
  expect(difference!.pairsNeeded).toBeGreaterThan(pairsNeeded(effect)!);
  const two = compareCells(plan(['vanilla', 'a']), all).figures[1]!;
  expect(two.difference!.pairsNeeded).toBe(pairsNeeded(effect));
});

test('the text has a line a run, a line a recipe, and says what cannot be said', () => {
  const asked = plan(['vanilla', 'hype', 'r3f']);
  const text = comparisonText(asked, cells, compareCells(asked, cells));
  expect(text).toMatch(/^recipe +seed +accuracy +f1 +loss +train loss +steps +seconds +compiling$/m);
  expect(text).toMatch(/^hype +3 +0\.6800 +0\.3400 +0\.5000 +0\.4000 +10 +2\.0 +0\.5$/m);
  expect(text).toMatch(/^r3f +3 +failed +-/m);
  expect(text).toMatch(
    /^hype +4 +0 +0\.6775 .*\+0\.0350 +\+0\.00\d+ to \+0\.0\d+ +- +75 % +0\.0\d\d +0\.0\d\d$/m,
  );
  expect(text).toMatch(/^r3f +2 +1 +0\.6000 .*-0\.0500 +- +- +- +- +-$/m);
  expect(text).toContain('r3f: two pairs of runs cannot tell it from vanilla.');
  expect(text).toMatch(/^hype: differs from vanilla by \+0\.0350 \(p 0\.0\d+, 4 pairs\)\.$/m);
  expect(text).toContain('failed: r3f · rte · seed 3: the loss is NaN');
});

test('a recipe whose error is larger gains less than nothing', () => {
  const asked = plan(['vanilla', 'worse']);
  const errors = { ...asked, tasks: asked.tasks.map((task) => ({ ...task, metrics: ['rmse'] })) };
  const measured = (recipe: string, rmse: number): Cell => ({
    ...cell(recipe, 1, 0.5),
    metrics: { rmse },
    run: {
      record: {
        ...{ status: 'finished', steps: 10 },
        identity: { release: '1', engine: 'cpu', rows: { train: 'a', validation: 'b' }, weights: 'c' },
      },
      cost: { seconds: 2.5, compileSeconds: 0.5, memoryBytes: 0, environment: {} },
    } as unknown as StoredRun,
  });
  const two = [measured('vanilla', 1), measured('worse', 2)];
  const page = comparisonPage({
    ...{ plan: errors, cells: two, comparison: compareCells(errors, two) },
    ...{ curves: new Map(), costOf: () => 'one pass' },
  });
  const [, costs] = page.split('gain on vanilla');
  expect(costs).toContain('-1.0000');
  expect(costs).not.toContain('+1.0000');
});

test('a recipe that has no pair with the first has no gain', () => {
  const identity = { release: '1', engine: 'cpu', rows: { train: 'a', validation: 'b' }, weights: 'c' };
  const done = (recipe: string, seed: number): Cell => ({
    ...cell(recipe, seed, 0.5),
    run: {
      record: { status: 'finished', steps: 10, identity },
      cost: { seconds: 2.5, compileSeconds: 0.5, memoryBytes: 0, environment: {} },
    } as unknown as StoredRun,
  });
  const asked = plan(['vanilla', 'other']);
  const apart = [done('vanilla', 1), done('other', 2)];
  const page = comparisonPage({
    ...{ plan: asked, cells: apart, comparison: compareCells(asked, apart) },
    ...{ curves: new Map(), costOf: () => 'one pass' },
  });
  const [, costs] = page.split('gain on vanilla');
  expect(costs).not.toContain('+0.0000');
});

/** A record of what was measured, as far as intervals over rows read it. */
const measuredAs = (kind: string, labels: string[], metrics: Record<string, number>): StoredRecord =>
  ({ identity: { task: { name: 'own', kind, labels } }, validation: { metrics } }) as unknown as StoredRecord;

test('what each row makes of a metric is known where the logits give the figure', () => {
  const right = [true, false, true, true];
  const lines = right.map((yes, row) => ({ row, label: 1, loss: 0, logits: yes ? [0, 1] : [1, 0] }));
  const record = measuredAs('class', ['no', 'yes'], { accuracy: 0.75, f1: 0.5, mine: 0.75 });
  for (const [row, value] of rowValues(lines, record, 'accuracy')!.entries())
    expect(value).toBeCloseTo(right[row] ? 1 : 0, 12);
  // A task that predicts in its own way, a metric that is not shipped, one that was not measured.
  expect(['f1', 'mine', 'recall'].map((metric) => rowValues(lines, record, metric))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  const values = [0.5, 1.5, 2, 4].map((label, row) => ({ row, label, loss: 0, logits: [label + (row % 2)] }));
  const errors = rowValues(values, measuredAs('values', ['score'], { mse: 0.5 }), 'mse')!;
  for (const [row, error] of errors.entries()) expect(error).toBeCloseTo(row % 2, 12);
});

test('the interval over rows is there where it is known what each row makes of the metric', () => {
  const rows = Array.from({ length: 40 }, (_, row) => row);
  const { figures } = compareCells(plan(['vanilla', 'hype']), cells, ({ recipe }, metric) =>
    metric === 'accuracy' ? rows.map((row) => (row % (recipe === 'hype' ? 5 : 4) ? 1 : 0)) : undefined,
  );
  const { rowsInterval } = figures.find(
    ({ recipe, metric }) => recipe === 'hype' && metric === 'accuracy',
  )!.difference!;
  expect(rowsInterval!.low).toBeLessThan(0.05);
  expect(rowsInterval!.high).toBeGreaterThan(0.05);
  expect(
    figures.find(({ recipe, metric }) => recipe === 'hype' && metric === 'f1')!.difference!.rowsInterval,
  ).toBeUndefined();
});

test('what rounding leaves of equal rows is no difference, and nothing has no sign', () => {
  const rows = Array.from({ length: 40 }, (_, row) => row % 3);
  const { figures } = compareCells(plan(['vanilla', 'hype']), cells, ({ recipe }) =>
    rows.map((value, row) => (recipe === 'hype' ? value + 1e-13 * Math.sin(row) : value)),
  );
  expect(figures.find(({ recipe }) => recipe === 'hype')!.difference!.rowsInterval).toBeUndefined();
  expect([signed(-1e-18), signed(0), signed(-0.00006), signed(undefined)]).toEqual([
    '+0.0000',
    '+0.0000',
    '-0.0001',
    '-',
  ]);
});

test('the point of a grid is chosen by the rows that choose', () => {
  const points = [cell('hype a', 1, 0.9), cell('hype b', 1, 0.8), cell('vanilla', 1, 0.7)];
  const asked = plan(['vanilla', 'hype a', 'hype b']);
  expect([...chosenPoints(asked, points, 'rte')]).toEqual([
    ['vanilla', 'vanilla'],
    ['hype', 'hype b'],
  ]);
  const text = comparisonText(asked, points, compareCells(asked, points));
  expect(text).toContain('best of each grid: hype b. The rows that chose are the rows reported');
  const some = [...points, cell('hype b', 2)];
  expect(comparisonText(asked, some, compareCells(asked, some))).toContain(
    'best of each grid: hype b (1 of its 2 runs failed, which no mean holds).',
  );
});

test('where the rows reported chose the epochs the comparison says so', () => {
  const kept = cells.map((one) =>
    one.metrics
      ? { ...one, run: { ...one.run!, record: { ...one.run!.record, best: { value: 1, epoch: 2 } } } }
      : one,
  );
  const asked = plan(['vanilla', 'hype', 'r3f']);
  const said = 'each run kept the epoch that is best on the rows reported, so these figures are too good';
  expect(comparisonText(asked, kept, compareCells(asked, kept))).toContain(said);
  expect(comparisonText(asked, cells, compareCells(asked, cells))).not.toContain(said);
  const tested = {
    ...asked,
    tasks: asked.tasks.map((task) => ({ ...task, rows: { ...task.rows, test: 4 } })),
  };
  expect(comparisonText(tested, kept, compareCells(tested, kept))).not.toContain(said);
});

test('the chosen point of a grid is set against the point that the first recipe chose of its own', () => {
  const rates = { low: 0, high: 0.1 };
  const points = Object.entries(rates).flatMap(([rate, gain]) => [
    ...vanilla.map((value, place) => cell(`vanilla ${rate}`, place + 1, value + gain)),
    ...vanilla.map((value, place) => cell(`hype ${rate}`, place + 1, value + gain + 0.001 * (place % 2))),
  ]);
  const chosen = points.map((one) => ({ ...one, choosing: one.metrics }));
  const asked = plan(['vanilla low', 'vanilla high', 'hype low', 'hype high']);
  const text = comparisonText(asked, chosen, compareCells(asked, chosen));
  // Against the first point the rate alone looks like a gain of the method.
  expect(text).toMatch(/^hype high: differs from vanilla low by \+0\.1005/m);
  expect(text).toMatch(/^best against best: hype high: not told from vanilla high by 4 pairs/m);
});

test('several tasks have ranks and an aggregate', () => {
  const asked = plan(['vanilla', 'hype'], ['rte', 'cola']);
  const two = [...cells, ...hype.map((value, place) => cell('vanilla', place + 1, value, 'cola'))];
  const all = [...two, ...hype.map((value, place) => cell('hype', place + 1, value + 0.1, 'cola'))];
  const comparison = compareCells(asked, all);
  expect(comparison.across).toMatchObject([
    { recipe: 'vanilla', averageRank: 2 },
    { recipe: 'hype', averageRank: 1 },
  ]);
  expect(comparison.across[1]!.mean!.value).toBeCloseTo((0.6775 + 0.7775) / 2, 12);
  const said = comparisonText(asked, all, comparison);
  expect(said).toMatch(/^over all tasks +average rank +mean +95 % +iqm +95 % bootstrap$/m);
  expect(said).toContain(
    "95 %: of Student's t over the seeds of each task; bootstrap: of the interquartile mean, too narrow where they are few.",
  );
  // An error and an accuracy have no mean; ranks know which way is up.
  const mixed = {
    ...asked,
    tasks: asked.tasks.map((task, place) => (place === 0 ? { ...task, metrics: ['rmse'] } : task)),
  };
  const errors = all.map((one) =>
    one.task === 'rte' ? { ...one, metrics: { rmse: one.metrics?.accuracy ?? 1 } } : one,
  );
  const ranked = compareCells(mixed, errors);
  expect(ranked.across).toMatchObject([
    { recipe: 'vanilla', averageRank: 1.5, mean: undefined, interquartileMean: undefined },
    { recipe: 'hype', averageRank: 1.5 },
  ]);
  expect(comparisonText(mixed, errors, ranked)).toMatch(/^vanilla +1\.50 +- +- +- +-$/m);
});
