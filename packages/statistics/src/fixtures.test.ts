import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  aggregate,
  almostStochasticOrder,
  deviation,
  effectSize,
  evidence,
  holm,
  interquartileMean,
  meanInterval,
  mean,
  median,
  noncentralCdf,
  normalCdf,
  normalQuantile,
  pairedT,
  pairsNeeded,
  permutationTest,
  power,
  probabilityOfImprovement,
  quantile,
  ranks,
  studentCdf,
  studentQuantile,
  violationRatio,
  wilcoxon,
} from './index.js';

// Numbers of scipy, statsmodels, rliable and deep-significance; fixtures/statistics.py makes them.

type Numbers = readonly number[];
type Rows = readonly Numbers[];

interface Fixtures {
  readonly normal: Rows;
  readonly normalQuantile: Rows;
  readonly student: Rows;
  readonly studentQuantile: Rows;
  readonly noncentral: Rows;
  readonly described: readonly {
    readonly values: Numbers;
    readonly mean: number;
    readonly deviation: number;
    readonly median: number;
    readonly interquartileMean: number;
    readonly quantile: number;
    readonly ranks: Numbers;
  }[];
  readonly paired: readonly {
    readonly a: Numbers;
    readonly b: Numbers;
    readonly t: number;
    readonly p: number;
    readonly interval: Numbers;
    readonly effect: number;
    readonly better: number;
    readonly normal: number;
    readonly continuity: number;
    readonly exact?: number;
    readonly permutation?: number;
  }[];
  readonly holm: readonly (readonly [Numbers, Numbers])[];
  readonly power: Rows;
  readonly needed: Rows;
  readonly order: readonly {
    readonly a: Numbers;
    readonly b: Numbers;
    readonly draws: number;
    readonly random: Numbers;
    readonly ratio: number;
    readonly bound: number;
  }[];
  readonly welch: readonly { readonly a: Numbers; readonly b: Numbers; readonly difference: Numbers }[];
  readonly aggregate: {
    readonly scores: Rows;
    readonly reps: number;
    readonly random: Numbers;
    readonly mean: Numbers;
    readonly interquartileMean: Numbers;
  };
  readonly sequential: readonly { readonly differences: Numbers; readonly evidence: number }[];
}

const fixtures = JSON.parse(
  readFileSync(new URL('../fixtures/statistics.json', import.meta.url), 'utf8'),
) as Fixtures;

/** To 1e-9 of the size of the number, and of 1 where it is below. */
function same(got: number | undefined, wanted: number): void {
  expect(Math.abs(got! - wanted)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(wanted)));
}

const listed = (values: Numbers): (() => number) => {
  let place = 0;
  return () => values[place++]!;
};

test('distributions equal those of scipy', () => {
  for (const [x, wanted] of fixtures.normal) same(normalCdf(x!), wanted!);
  for (const [p, wanted] of fixtures.normalQuantile) same(normalQuantile(p!), wanted!);
  for (const [t, n, wanted] of fixtures.student) same(studentCdf(t!, n!), wanted!);
  for (const [p, n, wanted] of fixtures.studentQuantile) same(studentQuantile(p!, n!), wanted!);
  for (const [t, n, d, wanted] of fixtures.noncentral) same(noncentralCdf(t!, n!, d!), wanted!);
});

test('descriptions equal those of numpy, scipy and rliable', () => {
  for (const wanted of fixtures.described) {
    same(mean(wanted.values), wanted.mean);
    same(deviation(wanted.values), wanted.deviation);
    same(median(wanted.values), wanted.median);
    same(interquartileMean(wanted.values), wanted.interquartileMean);
    same(quantile(wanted.values, 0.025), wanted.quantile);
    expect(ranks(wanted.values)).toEqual(wanted.ranks);
  }
});

describe('paired tests equal those of scipy', () => {
  test.each(fixtures.paired)('$a.length pairs', ({ a, b, ...wanted }) => {
    const t = pairedT(a, b)!;
    same(t.t, wanted.t);
    same(t.p, wanted.p);
    same(t.interval.low, wanted.interval[0]!);
    same(t.interval.high, wanted.interval[1]!);
    same(effectSize(a, b), wanted.effect);
    same(probabilityOfImprovement(a, b), wanted.better);
    same(wilcoxon(a, b, { exact: false })!.p, wanted.normal);
    same(wilcoxon(a, b, { exact: false, continuity: true })!.p, wanted.continuity);
    if (wanted.exact !== undefined) same(wilcoxon(a, b)!.p, wanted.exact);
    if (wanted.permutation !== undefined) same(permutationTest(a, b), wanted.permutation);
  });
});

test("Holm's correction, power and pairs needed equal those of statsmodels", () => {
  for (const [p, wanted] of fixtures.holm)
    for (const [place, value] of holm(p).entries()) same(value, wanted[place]!);
  for (const [effect, count, alpha, wanted] of fixtures.power) same(power(effect!, count!, alpha), wanted!);
  for (const [effect, wanted] of fixtures.needed) expect(pairsNeeded(effect!)).toBe(wanted);
});

test('almost stochastic order equals that of deep-significance for the same draws', () => {
  for (const { a, b, draws, random, ratio, bound } of fixtures.order) {
    same(violationRatio(a, b), ratio);
    same(almostStochasticOrder(a, b, { draws, random: listed(random) }), bound);
  }
});

test('aggregates over tasks and their intervals equal those of rliable for the same draws', () => {
  const { scores, reps, random, ...wanted } = fixtures.aggregate;
  const options = (): { draws: number; random: () => number } => ({ draws: reps, random: listed(random) });
  const found = {
    mean: aggregate(scores, undefined, options()),
    interquartileMean: aggregate(scores, (tasks) => interquartileMean(tasks.flat()), options()),
  };
  for (const name of ['mean', 'interquartileMean'] as const) {
    same(found[name].value, wanted[name][0]!);
    same(found[name].interval!.low, wanted[name][1]!);
    same(found[name].interval!.high, wanted[name][2]!);
  }
});

test('the interval of a mean over groups is that of Welch, of one group that of Student', () => {
  for (const { a, b, interval } of fixtures.paired) {
    const found = meanInterval([b.map((value, pair) => value - a[pair]!)])!;
    same(found.low, interval[0]!);
    same(found.high, interval[1]!);
  }
  for (const { a, b, difference } of fixtures.welch) {
    const found = meanInterval([b, a.map((value) => -value)])!;
    same(2 * found.low, difference[0]!);
    same(2 * found.high, difference[1]!);
  }
});

test("evidence is the ratio of scipy's noncentral and central densities of t", () => {
  for (const { differences, evidence: wanted } of fixtures.sequential)
    expect(Math.abs(evidence(differences) / wanted - 1)).toBeLessThan(1e-9);
});
