import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { multiLabel, regression, singleLabel, tokenClassification } from '../tasks/index.js';
import type { Label, LabelKind, Prediction, Task } from '../tasks/index.js';
import {
  averageRanks,
  classReport,
  entitiesOf,
  measure,
  type Metric,
  type MetricName,
  namedMetric,
  pearson,
  resolveMetrics,
  rocArea,
  spearman,
} from './index.js';

interface Case {
  readonly name: string;
  readonly outputs?: number;
  readonly names?: readonly string[];
  readonly predictions?: readonly Label[];
  readonly scores?: readonly Label[];
  readonly labels: readonly Label[];
  readonly metrics: Readonly<Record<string, number>>;
  readonly classes?: readonly (readonly number[])[] | Readonly<Record<string, readonly number[]>>;
  readonly confusion?: readonly (readonly number[])[];
}

/** Made by fixtures/metrics.py from scikit-learn, scipy and seqeval. */
const golden = JSON.parse(
  readFileSync(new URL('./fixtures/metrics.json', import.meta.url), 'utf8'),
) as Record<LabelKind, Case[]>;

const tasks: Readonly<Record<LabelKind, (labels?: readonly string[]) => Task>> = {
  class: () => singleLabel(),
  values: () => regression(),
  indicators: () => multiLabel(),
  tokens: (labels) => tokenClassification({ labels }),
};

const list = (label: Label): readonly number[] => (typeof label === 'number' ? [label] : label);

/** Predictions as a task states them; of a class, `scores` are the logits of class 1 against 0. */
function predictions(kind: LabelKind, { predictions: values, scores }: Case): Prediction[] {
  const logits = (row: number): Float32Array =>
    kind === 'class'
      ? Float32Array.of(0, (scores?.[row] as number | undefined) ?? 0)
      : Float32Array.from(list(scores?.[row] ?? 0), (p) => Math.log(p / (1 - p)));
  return (values ?? scores!).map((value, row) => ({
    value: values ? value : list(value).map((p) => (p >= 0.5 ? 1 : 0)),
    ...{ scores: logits(row), logits: logits(row) },
  }));
}

const cases = Object.entries(golden).flatMap(([kind, list]) =>
  list.map((one) => ({ ...one, kind: kind as LabelKind })),
);

test.each(cases)('$kind: $name', (one) => {
  const { kind, labels, names, metrics } = one;
  const task = tasks[kind](names);
  const outputs = one.outputs ?? names?.length ?? list(labels[0]!).length;
  const rows = predictions(kind, one);
  const wanted = Object.keys(metrics) as MetricName[];
  const got = measure(resolveMetrics(wanted), rows, labels, { task, outputs });
  for (const name of wanted) expect(got[name], name).toBeCloseTo(metrics[name]!, 9);
  const report = classReport(rows, labels, { task, outputs });
  const figures = report?.classes.map((c) => [c.precision, c.recall, c.f1, c.support]);
  if (one.confusion) expect(report!.confusion).toEqual(one.confusion);
  const classes = one.classes && Object.values(one.classes);
  if (classes)
    expect(figures!.flat()).toEqual(classes.flat().map((value) => expect.closeTo(value, 9) as number));
  if (names) expect(report!.classes.map(({ name }) => name)).toEqual(Object.keys(one.classes!));
});

test('entities, by hand: a type that changes begins a new one, also without a B', () => {
  expect(entitiesOf(['B-PER', 'I-PER', 'O', 'B-LOC', 'B-LOC', 'I-PER'])).toEqual([
    'PER 0 1',
    'LOC 3 3',
    'LOC 4 4',
    'PER 5 5',
  ]);
});

test('equal values share their average rank', () => {
  expect(averageRanks([3, 1, 3, 2, 3])).toEqual([4, 1, 4, 2, 4]);
});

test('a constant side has correlation 0; what is no number has none', () => {
  expect(pearson([1, 1, 1], [1, 2, 3])).toBe(0);
  expect(spearman([1, 2, 3], [5, 5, 5])).toBe(0);
  expect(spearman([NaN, NaN, NaN], [1, 2, 3])).toBeNaN();
  expect(pearson([NaN, 1, 2], [1, 2, 3])).toBeNaN();
  expect(rocArea([1, 2], [true, true])).toBe(0.5);
});

const row = (value: Label): Prediction => ({
  value,
  scores: Float32Array.of(1, 0),
  logits: Float32Array.of(1, 0),
});
const two = { task: singleLabel(), outputs: 2 };

test("a user's own metric is measured beside the shipped ones", () => {
  const cost: Metric = {
    name: 'cost',
    greaterIsBetter: false,
    compute: (rows, labels) => rows.filter(({ value }, i) => value === 0 && labels[i] === 1).length * 5,
  };
  const metrics = resolveMetrics(['accuracy', cost]);
  expect(measure(metrics, [row(0), row(1)], [1, 1], two)).toEqual({ accuracy: 0.5, cost: 5 });
});

test('positions to be ignored count nowhere', () => {
  const task = tokenClassification({ labels: ['O', 'B-A', 'I-A'] });
  const got = measure(
    resolveMetrics(['accuracy', 'entity_f1']),
    [row([2, 1, 0, 2, 0])],
    [[-100, 1, -100, 2, -100]],
    { task, outputs: 3 },
  );
  expect(got).toEqual({ accuracy: 1, entity_f1: 1 });
});

test('what cannot be measured is said', () => {
  const names = (...list: string[]): Metric[] => resolveMetrics(list as MetricName[]);
  const one = [row(0)];
  expect(() => measure(names('pearson'), one, [0], two)).toThrow(
    "metrics: 'pearson' is not defined for classification, which has 'accuracy', 'f1',",
  );
  expect(() => namedMetric('accurcy')).toThrow(
    "metrics: there is no metric 'accurcy', did you mean 'accuracy'?",
  );
  expect(() => measure(names('f1'), one, [0], { task: singleLabel(), outputs: 3 })).toThrow(
    "metrics: 'f1' is of class 1 of two classes; the model has 3; take macro_f1, micro_f1 or weighted_f1.",
  );
  expect(() => {
    names('entity_f1')[0]!.check!({ task: tokenClassification(), outputs: 3 });
  }).toThrow('needs class names as B-PER, I-PER, O');
  expect(() => measure(names('accuracy'), one, [0, 1], two)).toThrow('1 predictions for 2 labels');
  expect(() => measure(names('accuracy'), [], [], two)).toThrow('no row');
});

test.each([
  ['a Promise', () => Promise.resolve(1)],
  ['undefined', () => undefined],
])('a metric that gives %s instead of a number is refused', (got, compute) => {
  const odd = { name: 'odd', greaterIsBetter: true, compute } as unknown as Metric;
  expect(() =>
    measure([odd], [{ value: 0, scores: new Float32Array(2), logits: new Float32Array(2) }], [0], {
      task: singleLabel(),
      outputs: 2,
    }),
  ).toThrow(`metrics: compute of 'odd' must return a number, got ${got}.`);
});

test('a row of tokens in which none counts is neither right nor wrong', () => {
  const task = tokenClassification();
  const row = (value: number[]): Prediction => ({
    ...{ value, scores: new Float32Array(4), logits: new Float32Array(4) },
  });
  const figures = (labels: number[][]): Record<string, number> =>
    measure(
      [namedMetric('exact_match')],
      labels.map(() => row([1, 0])),
      labels,
      { task, outputs: 2 },
    );
  expect(
    figures([
      [1, 0],
      [1, 1],
      [-100, -100],
      [1, -100],
    ]),
  ).toEqual({ exact_match: 2 / 3 });
  expect(figures([[-100, -100]])).toEqual({ exact_match: 0 });
});

test('a label between no and yes is there from a half on, in every metric of several labels', () => {
  const task = multiLabel();
  const predictions = [task.predict(Float32Array.of(2, -2), 2), task.predict(Float32Array.of(2, 2), 2)];
  const soft = [
    [0.7, 0.2],
    [0.5, 0.4],
  ];
  const hard = soft.map((label) => label.map((share) => (share >= 0.5 ? 1 : 0)));
  const metrics = (['exact_match', 'micro_f1', 'roc_auc'] as const).map(namedMetric);
  const figures = measure(metrics, predictions, soft, { task, outputs: 2 });
  expect(figures).toEqual(measure(metrics, predictions, hard, { task, outputs: 2 }));
  expect(figures['exact_match']).toBe(0.5);
});
