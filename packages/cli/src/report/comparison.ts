import {
  aggregate,
  type Aggregate,
  almostStochasticOrder,
  averageRank,
  deviation,
  effectSize,
  FEWEST_RUNS,
  holm,
  interquartileMean,
  type Interval,
  mean,
  meanInterval,
  median,
  pairedT,
  pairsNeeded,
  permutationTest,
  probabilityOfImprovement,
  runsAndRowsInterval,
  wilcoxon,
} from '@hypetune/statistics';
import { type Cell, type ComparisonPlan, greaterIsBetter } from '../store/plan.js';

/** What the runs of one recipe on one task say of one metric. */
export interface RecipeFigures {
  readonly recipe: string;
  readonly family: string;
  readonly task: string;
  readonly metric: string;
  readonly seeds: readonly number[];
  readonly values: readonly number[];
  readonly failed: number;
  readonly missing: number;
  readonly mean: number | undefined;
  readonly deviation: number | undefined;
  readonly median: number | undefined;
  readonly interquartileMean: number | undefined;
  /** The best run. */
  readonly best: number | undefined;
  /** Of the mean over seeds: Student's t, 95 %. */
  readonly interval: Interval | undefined;
  /** Against the first recipe; undefined for it. */
  readonly difference: Difference | undefined;
}

/** A recipe against the first one, run by run of the same seed. Where a direction matters, more is better. */
export interface Difference {
  readonly pairs: number;
  readonly mean: number;
  /** Of Student's t, 95 %. */
  readonly interval: Interval | undefined;
  /** Over seeds and measured rows, 95 %; undefined where what each row makes of the metric is not known. */
  readonly rowsInterval: Interval | undefined;
  readonly effect: number | undefined;
  /** Probability that one of its runs is better than one of the first recipe. */
  readonly improvement: number;
  readonly p: number | undefined;
  /** After Holm's correction over the recipes of this task and metric. */
  readonly correctedP: number | undefined;
  readonly wilcoxonP: number | undefined;
  readonly permutationP: number | undefined;
  /** Almost stochastic order: bound of how far "it is better" is violated. */
  readonly stochasticOrder: number | undefined;
  /** Pairs with which the test would find an effect of this size four times of five, at the level of the smallest p that Holm corrects. */
  readonly pairsNeeded: number | undefined;
}

/** What a comparison over several tasks says of a recipe, of the first metric of each. */
export interface AcrossTasks {
  readonly recipe: string;
  readonly averageRank: number;
  /** Undefined, as is the next, where more is better on one task and less on another. */
  readonly mean: Aggregate | undefined;
  readonly interquartileMean: Aggregate | undefined;
}

export interface Comparison {
  readonly figures: readonly RecipeFigures[];
  readonly across: readonly AcrossTasks[];
  readonly failed: readonly Cell[];
  readonly missing: readonly Cell[];
}

/** What each row measured on, or each group of rows, makes of a metric of a run, where it is known (`rowValues`). */
export type RowValues = (cell: Cell, metric: string) => readonly number[] | undefined;

/** A corrected p below it tells two recipes apart. */
export const LEVEL = 0.05;

/** Computes everything that is said of a comparison. */
export function compareCells(
  plan: ComparisonPlan,
  cells: readonly Cell[],
  rowsOf: RowValues = () => undefined,
): Comparison {
  const figures = plan.tasks.flatMap((task) =>
    task.metrics.flatMap((metric) => {
      const rows = plan.recipes.map((recipe) =>
        figuresOf(plan, cells, { task: task.name, metric, ...recipe }, rowsOf),
      );
      const corrected = holm(rows.flatMap(({ difference }) => difference?.p ?? []));
      let place = 0;
      return rows.map((row): RecipeFigures => {
        const { difference } = row;
        if (difference?.p === undefined) return row;
        const needed = pairsNeeded(difference.effect!, { alpha: LEVEL / corrected.length });
        return { ...row, difference: { ...difference, correctedP: corrected[place++], pairsNeeded: needed } };
      });
    }),
  );
  return {
    figures,
    across: plan.tasks.length > 1 ? acrossTasks(plan, figures) : [],
    failed: cells.filter(({ run }) => run?.record.status === 'failed'),
    missing: cells.filter(({ run }) => run === undefined),
  };
}

interface Of {
  readonly name: string;
  readonly family: string;
  readonly task: string;
  readonly metric: string;
}

function figuresOf(plan: ComparisonPlan, all: readonly Cell[], of: Of, rowsOf: RowValues): RecipeFigures {
  const { task, metric } = of;
  const cellsOf = (recipe: string): Cell[] =>
    all.filter((cell) => cell.recipe === recipe && cell.task === task);
  const own = cellsOf(of.name);
  const done = own.filter(({ metrics }) => metrics?.[metric] !== undefined);
  const values = done.map(({ metrics }) => metrics![metric]!);
  const sign = greaterIsBetter(metric, plan) ? 1 : -1;
  const first = plan.recipes[0]!.name;
  const some = values.length > 0;
  return {
    ...{ recipe: of.name, family: of.family, task, metric, values },
    seeds: done.map(({ seed }) => seed),
    failed: own.filter(({ run }) => run?.record.status === 'failed').length,
    missing: own.filter(({ run }) => run === undefined).length,
    mean: some ? mean(values) : undefined,
    deviation: values.length > 1 ? deviation(values) : undefined,
    median: some ? median(values) : undefined,
    interquartileMean: some ? interquartileMean(values) : undefined,
    best: some ? sign * Math.max(...values.map((value) => sign * value)) : undefined,
    interval: meanInterval([values]),
    difference: of.name === first ? undefined : differenceOf(cellsOf(first), done, metric, sign, rowsOf),
  };
}

function differenceOf(
  first: readonly Cell[],
  own: readonly Cell[],
  metric: string,
  sign: number,
  rowsOf: RowValues,
): Difference | undefined {
  const pairs = own.flatMap((cell) => {
    const other = first.find(({ seed, metrics }) => seed === cell.seed && metrics?.[metric] !== undefined);
    return other ? [{ a: other, b: cell }] : [];
  });
  if (pairs.length === 0) return undefined;
  const a = pairs.map((pair) => pair.a.metrics![metric]!);
  const b = pairs.map((pair) => pair.b.metrics![metric]!);
  const [signedA, signedB] = [a.map((value) => sign * value), b.map((value) => sign * value)];
  const t = pairedT(a, b);
  const few = pairs.length < FEWEST_RUNS;
  return {
    pairs: pairs.length,
    mean: mean(b) - mean(a),
    interval: t?.interval,
    rowsInterval: rowsInterval(pairs, (cell) => rowsOf(cell, metric)),
    ...{ effect: effectSize(a, b), p: t?.p, correctedP: undefined, pairsNeeded: undefined },
    improvement: probabilityOfImprovement(signedA, signedB),
    wilcoxonP: wilcoxon(a, b)?.p,
    permutationP: permutationTest(a, b),
    stochasticOrder: few ? undefined : almostStochasticOrder(signedB, signedA),
  };
}

/** Interval of the difference over seeds and rows together, where it is known what each row makes of both. */
function rowsInterval(
  pairs: readonly { readonly a: Cell; readonly b: Cell }[],
  rowsOf: (cell: Cell) => readonly number[] | undefined,
): Interval | undefined {
  if (pairs.length < FEWEST_RUNS) return undefined;
  const differences = pairs.map(({ a, b }) => {
    const [first, own] = [rowsOf(a), rowsOf(b)];
    return first?.length === own?.length ? own?.map((value, row) => apart(value, first![row]!)) : undefined;
  });
  const known = differences.filter((rows) => rows !== undefined && rows.length === differences[0]?.length);
  return known.length < pairs.length ? undefined : runsAndRowsInterval(known as number[][]);
}

/** Below it two figures differ by rounding. */
const ROUNDING = 1e-9;

function apart(value: number, other: number): number {
  return Math.abs(value - other) < ROUNDING ? 0 : value - other;
}

function acrossTasks(plan: ComparisonPlan, figures: readonly RecipeFigures[]): AcrossTasks[] {
  const of = (recipe: string): RecipeFigures[] =>
    plan.tasks.map(({ name, metrics: [metric] }) =>
      figures.find((row) => row.recipe === recipe && row.task === name && row.metric === metric)!,
    );
  const whole = plan.recipes.filter(({ name }) => of(name).every((row) => row.mean !== undefined));
  const sign = plan.tasks.map(({ metrics: [metric] }) => (greaterIsBetter(metric!, plan) ? 1 : -1));
  const ranks = averageRank(
    plan.tasks.map((_, task) => whole.map(({ name }) => sign[task]! * of(name)[task]!.mean!)),
  );
  // More is better of some, less of others: of such numbers there is no mean.
  const isMixed = new Set(sign).size > 1;
  return whole.map(({ name }, place) => {
    const scores = of(name).map(({ values }) => values);
    return {
      ...{ recipe: name, averageRank: ranks[place]! },
      mean: isMixed ? undefined : { value: mean(scores.map(mean)), interval: meanInterval(scores) },
      interquartileMean: isMixed ? undefined : aggregate(scores, (tasks) => interquartileMean(tasks.flat())),
    };
  });
}

/** The chosen point of each grid on a task, against that of the first recipe's grid: both tuned. Nothing where that is no grid. */
export function compareChosen(
  plan: ComparisonPlan,
  cells: readonly Cell[],
  task: string,
): readonly RecipeFigures[] {
  const { family } = plan.recipes[0]!;
  if (plan.recipes.filter((recipe) => recipe.family === family).length < 2) return [];
  const chosen = chosenPoints(plan, cells, task);
  const names = [chosen.get(family), ...[...chosen.values()].filter((name) => name !== chosen.get(family))];
  const recipes = names.flatMap((name) => plan.recipes.filter((recipe) => recipe.name === name));
  const tasks = plan.tasks
    .filter(({ name }) => name === task)
    .map((own) => ({ ...own, metrics: own.metrics.slice(0, 1) }));
  return chosen.has(family) ? compareCells({ ...plan, recipes, tasks }, cells).figures : [];
}

/** Of each grid the point that is best on the rows that choose, by the mean of the task's first metric. */
export function chosenPoints(
  plan: ComparisonPlan,
  cells: readonly Cell[],
  task: string,
): Map<string, string> {
  const [metric] = plan.tasks.find(({ name }) => name === task)!.metrics;
  const sign = greaterIsBetter(metric!, plan) ? 1 : -1;
  const best = new Map<string, { readonly name: string; readonly value: number }>();
  for (const { name, family } of plan.recipes) {
    const values = cells
      .filter((cell) => cell.recipe === name && cell.task === task && cell.choosing?.[metric!] !== undefined)
      .map(({ choosing }) => choosing![metric!]!);
    if (values.length === 0) continue;
    const value = sign * mean(values);
    if (value > (best.get(family)?.value ?? -Infinity)) best.set(family, { name, value });
  }
  return new Map([...best].map(([family, { name }]) => [family, name]));
}
