import { describe, expect, test } from 'vitest';
import {
  aggregate,
  almostStochasticOrder,
  averageRank,
  bootstrapInterval,
  deviation,
  effectSize,
  holm,
  improvementAcrossTasks,
  type Interval,
  jackknife,
  mean,
  meanInterval,
  normalQuantile,
  pairedT,
  pairsNeeded,
  permutationTest,
  power,
  type Random,
  runsAndRowsInterval,
  seeded,
  sequentialTest,
  wilcoxon,
} from './index.js';

const normal = (random: Random): number => normalQuantile(Math.max(random(), 1e-12));
const list = <T>(count: number, make: (place: number) => T): T[] =>
  Array.from({ length: count }, (_, place) => make(place));

/** Accuracies of plain runs: what each seed is worth, and what the chance of 300 rows adds. */
function vanillaPool(random: Random): number[] {
  return list(200, () => {
    const worth = 0.8 + 0.02 * normal(random);
    return mean(list(300, () => (random() < worth ? 1 : 0)));
  });
}

test('of two seeds nothing is said', () => {
  const [a, b] = [
    [0.1, 0.2],
    [0.3, 0.5],
  ];
  expect(pairedT(a!, b!)).toBeUndefined();
  expect(wilcoxon(a!, b!)).toBeUndefined();
  expect(permutationTest(a!, b!)).toBeUndefined();
  expect(effectSize(a!, b!)).toBeUndefined();
  expect(bootstrapInterval(a!)).toBeUndefined();
  expect(meanInterval([[1, 2, 3], a!])).toBeUndefined();
  expect(runsAndRowsInterval([a!, b!])).toBeUndefined();
  // Rows that differ by chance alone, where all runs end alike: one run of ten has two rows the other way round.
  const swapped = (rows: number): number[][] =>
    Array.from({ length: 10 }, (_, run) =>
      Array.from({ length: rows }, (__, row) => (run === 2 && row < 2 ? 1 - 2 * row : 0)),
    );
  for (const rows of [100, 101, 200, 300, 500]) expect(runsAndRowsInterval(swapped(rows))).toBeUndefined();
  expect(aggregate([a!, [1, 2, 3]])).toEqual({ value: (0.15 + 2) / 2, interval: undefined });
});

test('a difference that is the same in every pair is no sample of anything', () => {
  expect(pairedT([0.1, 0.2, 0.3], [0.2, 0.3, 0.4])).toBeUndefined();
  expect(pairedT([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])).toBeUndefined();
  expect(wilcoxon([1, 2, 3, 4], [1, 2, 3, 4])).toBeUndefined();
});

test('a paired test takes very many pairs', () => {
  const pairs = Array.from({ length: 200_000 }, (_, place) => place % 7);
  expect(
    pairedT(
      pairs,
      pairs.map((value, place) => value + (place % 2)),
    )!.interval.low,
  ).toBeGreaterThan(0.49);
});

test('rounding parts no equal accuracies: of 872 rows, counted or divided, ranks and signs say the same', () => {
  const a = [702, 706, 714, 708, 701, 707, 698, 710];
  const b = [702, 705, 713, 709, 702, 706, 698, 710];
  const share = (counts: number[]): number[] => counts.map((count) => count / 872);
  expect(wilcoxon(a, b)!.p).toBe(1);
  expect(wilcoxon(share(a), share(b))).toEqual(wilcoxon(a, b));
  const many = (counts: number[]): number[] => counts.map((count) => 0.5 + count / 3e6);
  expect(permutationTest(many(a), many(b))).toBe(permutationTest(a, b));
  // The mean of the same accuracies in another order.
  expect(averageRank([[mean([0.1, 0.2, 0.3]), mean([0.3, 0.2, 0.1])]])).toEqual([1.5, 1.5]);
});

test('lists of different lengths are no pairs', () => {
  expect(() => pairedT([1, 2, 3], [1, 2])).toThrow('a paired test needs lists of one length, got 3 and 2');
});

test('draws are the same for the same seed, other ones for another, and even', () => {
  expect(list(3, seeded(5))).toEqual(list(3, seeded(5)));
  expect(list(3, seeded(5))).not.toEqual(list(3, seeded(6)));
  const values = list(20_000, seeded(1));
  expect(mean(values)).toBeCloseTo(0.5, 2);
  expect(deviation(values)).toBeCloseTo(Math.sqrt(1 / 12), 2);
});

test("Holm's correction by hand", () => {
  const corrected = holm([0.01, 0.04, 0.03, 0.005]);
  for (const [place, wanted] of [0.03, 0.06, 0.06, 0.02].entries())
    expect(corrected[place]).toBeCloseTo(wanted, 12);
});

test('a drawn permutation test agrees with the one that goes through all signs', () => {
  const random = seeded(3);
  const a = list(17, () => normal(random));
  const b = a.map((value) => value + 0.4 + normal(random));
  const [drawn, more] = [permutationTest(a, b)!, permutationTest(a, b, { random: seeded(8) })!];
  expect(drawn).toBeCloseTo(more, 2);
  expect(Math.abs(drawn - pairedT(a, b)!.p)).toBeLessThan(0.03);
});

test('rows measured on widen the interval that seeds alone give', () => {
  const random = seeded(2);
  // Ten runs that are equally good on 100 rows: all that differs is the luck of the rows.
  const rows = list(100, () => (random() < 0.8 ? 1 : 0));
  const runs = list(10, () => rows);
  const both = runsAndRowsInterval(runs)!;
  const accuracy = mean(rows);
  expect(meanInterval([runs.map(mean)])).toBeUndefined();
  expect((both.high - both.low) / 2).toBeCloseTo(1.984 * Math.sqrt((accuracy * (1 - accuracy)) / 99), 3);
});

test.each([
  { what: 'chance alone', ofRun: 0, ofRow: 0 },
  { what: 'runs', ofRun: 0.3, ofRow: 0 },
  { what: 'rows', ofRun: 0, ofRow: 1 },
  { what: 'both', ofRun: 0.1, ofRow: 0.7 },
])('an interval over runs and rows holds the true mean in 95 % of samples: $what', ({ ofRun, ofRow }) => {
  const random = seeded(5);
  const trials = 500;
  const width = ({ low, high }: Interval): number => high - low;
  const found = list(trials, () => {
    const rows = list(60, () => ofRow * normal(random));
    const sample = list(5, () => {
      const own = ofRun * normal(random);
      return rows.map((row) => own + row + normal(random));
    });
    const both = runsAndRowsInterval(sample)!;
    expect(width(both)).toBeGreaterThanOrEqual(width(meanInterval([sample.map(mean)])!) - 1e-12);
    return both;
  });
  const share = found.filter(({ low, high }) => low <= 0 && 0 <= high).length / trials;
  expect(share).toBeGreaterThan(0.93);
  expect(share).toBeLessThan(0.985);
});

test('a jackknife says what each row makes of a measure', () => {
  const random = seeded(6);
  const values = list(40, () => random());
  const share = (rows: readonly number[]): number => mean(rows.map((row) => values[row]!));
  for (const [row, made] of jackknife(40, share).entries()) expect(made).toBeCloseTo(values[row]!, 12);
  // Over groups the spread is the measure's own all the same.
  const many = list(1000, () => random());
  const groups = jackknife(1000, (rows) => mean(rows.map((row) => many[row]!)));
  expect(groups).toHaveLength(200);
  expect(mean(groups)).toBeCloseTo(mean(many), 12);
  expect(deviation(groups) / Math.sqrt(200) / (deviation(many) / Math.sqrt(1000))).toBeCloseTo(1, 1);
  // The root of a mean, whose error the delta method gives.
  const root = jackknife(1000, (rows) => Math.sqrt(mean(rows.map((row) => many[row]!))));
  const expected = deviation(many) / Math.sqrt(1000) / (2 * Math.sqrt(mean(many)));
  expect(deviation(root) / Math.sqrt(200) / expected).toBeCloseTo(1, 1);
});

test('power rises with pairs, and pairs needed reach it', () => {
  const needed = pairsNeeded(0.7)!;
  expect(power(0.7, needed)).toBeGreaterThanOrEqual(0.8);
  expect(power(0.7, needed - 1)).toBeLessThan(0.8);
  expect(pairsNeeded(0)).toBeUndefined();
  expect([pairsNeeded(0.029)! <= 10_000, pairsNeeded(0.0256)]).toEqual([true, undefined]);
  // Differences that are the same but for rounding.
  expect(effectSize([0.1, 0.2, 0.3], [0.2, 0.3, 0.4])).toBeUndefined();
  expect(power(50, 5)).toBe(1);
});

test('ranks over tasks', () => {
  expect(
    averageRank([
      [0.9, 0.8, 0.8],
      [0.5, 0.7, 0.6],
    ]),
  ).toEqual([2, 1.75, 2.25]);
  expect(improvementAcrossTasks([[1, 2], [5]], [[3, 4], [5]])).toBe(0.75);
});

test('almost stochastic order: 0 where one is always better, near 1 where it is always worse', () => {
  expect(almostStochasticOrder([3, 4, 5], [0, 1, 2], { draws: 100 })).toBe(0);
  expect(almostStochasticOrder([0, 1, 2], [3, 4, 5], { draws: 100 })).toBeGreaterThan(0.99);
});

describe('vanilla against vanilla', () => {
  const random = seeded(11);
  const pool = vanillaPool(random);
  const draw = (count: number): number[] => list(count, () => pool[Math.floor(random() * pool.length)]!);

  test.each([5, 10])('is called significant in 5 % +- 1 % of resamplings by t, %i seeds', (seeds) => {
    const trials = 8000;
    const alarms = list(trials, () => pairedT(draw(seeds), draw(seeds))).filter((t) => t && t.p < 0.05);
    expect(alarms.length / trials).toBeGreaterThan(0.04);
    expect(alarms.length / trials).toBeLessThan(0.06);
  });

  test('tests of ranks and signs are called significant no more often', () => {
    const trials = 2000;
    const share = (test: (a: number[], b: number[]) => number | undefined): number =>
      list(trials, () => test(draw(8), draw(8))).filter((p) => p !== undefined && p < 0.05).length / trials;
    expect(share((a, b) => wilcoxon(a, b)?.p)).toBeLessThan(0.06);
    expect(share(permutationTest)).toBeLessThan(0.06);
  });

  test("after Holm's correction no recipe of four is called better in 95 % of comparisons", () => {
    const trials = 3000;
    const alarms = list(trials, () => {
      const baseline = draw(5);
      return holm(list(4, () => pairedT(baseline, draw(5))?.p ?? 1)).some((p) => p < 0.05);
    }).filter(Boolean);
    expect(alarms.length / trials).toBeLessThan(0.06);
    expect(alarms.length / trials).toBeGreaterThan(0.02);
  });
});

test('the t interval holds the true difference in 95 % of samples; the bootstrap over few seeds in fewer', () => {
  const random = seeded(4);
  const trials = 1500;
  const zeros = [0, 0, 0, 0, 0];
  const samples = list(trials, () => list(5, () => normal(random)));
  const holds = ({ low, high }: { low: number; high: number }): boolean => low <= 0 && 0 <= high;
  const student = samples.filter((sample) => holds(pairedT(zeros, sample)!.interval)).length / trials;
  const options = (): { draws: number; random: Random } => ({ draws: 200, random: seeded(1) });
  const resampled =
    samples.filter((sample) => holds(bootstrapInterval(sample, mean, options())!)).length / trials;
  expect(student).toBeGreaterThan(0.935);
  expect(student).toBeLessThan(0.965);
  expect(resampled).toBeGreaterThan(0.78);
  expect(resampled).toBeLessThan(0.88);
});

describe('a test that is looked at after every run', () => {
  test('raises a false alarm in at most 5 % of experiments', () => {
    const random = seeded(21);
    const trials = 600;
    const pool = vanillaPool(random);
    const draw = (): number => pool[Math.floor(random() * pool.length)]!;
    for (const difference of [() => normal(random), () => draw() - draw()]) {
      const answers = list(trials, () => sequentialTest(list(30, difference)).answer);
      expect(answers.filter((answer) => answer === 'yes').length / trials).toBeLessThan(0.05);
      expect(answers.filter((answer) => answer === 'no').length / trials).toBeLessThan(0.05);
    }
    // A t test that is looked at as often is wrong far more often.
    const peeking = list(trials, () => {
      const values = list(30, () => normal(random));
      return list(28, (place) => values.slice(0, place + 3)).some(
        (sofar) =>
          pairedT(
            sofar.map(() => 0),
            sofar,
          )!.p < 0.05,
      );
    }).filter(Boolean);
    expect(peeking.length / trials).toBeGreaterThan(0.15);
  });

  test('finds what is there, either way, and stops there', () => {
    const random = seeded(9);
    const gains = list(20, () => 0.02 + 0.01 * normal(random));
    const found = sequentialTest(gains);
    expect(found.answer).toBe('yes');
    expect(found.pairs).toBeLessThan(10);
    expect(sequentialTest(gains, { atLeast: 0.05 }).answer).toBe('no');
    expect(sequentialTest(gains.slice(0, 2)).answer).toBe('not yet');
    expect(sequentialTest([0, 0, 0, 0, 0, 0, 0]).answer).toBe('not yet');
    expect(sequentialTest([0, 0, 0, 0, 0, 0, 0], { atLeast: 0.01 }).answer).toBe('not yet');
    // Five rows of 872 more in every pair, which was claimed: what is left is rounding.
    const right = [656, 579, 739, 758, 769, 692, 589, 666, 630];
    const exact = right.map((count) => (count + 5) / 872 - count / 872);
    expect(sequentialTest(exact, { atLeast: 5 / 872 })).toMatchObject({ answer: 'not yet', pairs: 9 });
  });
});
