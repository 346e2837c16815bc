import { holm, mean } from '@hypetune/statistics';
import { answerClaim, claimText, type ClaimAnswer } from '../../packages/cli/src/claim.js';
import type { Claim } from '../../packages/cli/src/config-file.js';
import {
  compareCells,
  type Comparison,
  type RecipeFigures,
  type RowValues,
} from '../../packages/cli/src/report/comparison.js';
import {
  figure,
  interval,
  plainInterval,
  probability,
  signed,
} from '../../packages/cli/src/report/comparison-text.js';
import { rowValues } from '../../packages/cli/src/report/intervals.js';
import { type Curve, curveChart } from '../../packages/cli/src/report/html/charts.js';
import { STYLE } from '../../packages/cli/src/report/html/style.js';
import type { Cell, ComparisonPlan } from '../../packages/cli/src/store/plan.js';
import { measuredOf, type PredictedLine, type StoredRecord } from '../../packages/cli/src/store/record.js';
import { table } from '../generated.js';

/** The runs of an experiment. */
export interface Evidence {
  readonly plan: ComparisonPlan;
  readonly cells: readonly Cell[];
  /** All recipes against the first. */
  readonly comparison: Comparison;
  readonly predictions: ReadonlyMap<string, readonly PredictedLine[]>;
  /** What each row makes of a metric of a run. */
  readonly rowsOf: RowValues;
}

export type Task = ComparisonPlan['tasks'][number];

/** The first metric of a task, which recipes are compared by. */
const metricOf = (task: Task): string => task.metrics[0]!;

/** How much of an experiment is done. */
export function progress(plan: ComparisonPlan, cells: readonly Cell[]): string {
  const done = cells.filter(({ run }) => run?.record.status === 'finished').length;
  const failed = cells.filter(({ run }) => run?.record.status === 'failed').length;
  const machines = new Set(cells.flatMap(({ run }) => (run ? [String(run.cost.environment.processor)] : [])));
  return (
    `${done} of ${plan.runs.length} runs are done${failed > 0 ? `, ${failed} failed` : ''}` +
    `${machines.size > 0 ? ` (${[...machines].join(', ')})` : ''}.`
  );
}

/** Runs as evidence: all recipes against the first. */
export function evidenceOf(
  plan: ComparisonPlan,
  cells: readonly Cell[],
  predictions: Evidence['predictions'],
): Evidence {
  const rowsOf = rowsKept(plan, predictions);
  return { plan, cells, comparison: compareCells(plan, cells, rowsOf), predictions, rowsOf };
}

/** The runs of those seeds that every recipe has on a task: means over others would lie apart for that alone. */
export function ofWholeSeeds(plan: ComparisonPlan, cells: readonly Cell[]): Cell[] {
  const done = (task: string, seed: number): number =>
    cells.filter((cell) => cell.run && cell.task === task && cell.seed === seed).length;
  return cells.filter(({ task, seed }) => done(task, seed) === plan.recipes.length);
}

/** Mean of the first metric by task (rows) and recipe (columns). */
export function meansTable(evidence: Evidence): string {
  const { plan } = evidence;
  const { figures } = evidence.comparison;
  return table(
    ['recipe', ...plan.tasks.map((task) => `${task.name}, ${metricOf(task)}`)],
    plan.recipes.map(({ name }) => [name, ...plan.tasks.map((task) => spread(of(figures, name, task)))]),
  );
}

/** What each recipe does on each task, against the first; one without a run is left out. */
export function recipeTables({ plan, cells, comparison }: Evidence): string {
  const { figures } = comparison;
  return plan.tasks
    .map((task) => {
      const base = secondsOf(cells, plan.recipes[0]!.name, task);
      const there = plan.recipes.filter(({ name }) =>
        cells.some((cell) => cell.run && cell.recipe === name && cell.task === task.name),
      );
      const rows = there.map(({ name }) => {
        const row = of(figures, name, task);
        const { difference: d } = row;
        const seconds = secondsOf(cells, name, task);
        return [
          ...[name, String(row.values.length), spread(row), signed(d?.mean), interval(d?.interval)],
          ...[interval(d?.rowsInterval), probability(d?.correctedP)],
          seconds === undefined || base === undefined ? '-' : (seconds / base).toFixed(2),
        ];
      });
      const first = plan.recipes[0]!.name;
      const head = [
        'recipe',
        'runs',
        `${metricOf(task)} (sd)`,
        `against ${first}`,
        '95 %',
        '95 % with rows',
        'p (Holm)',
        'time',
      ];
      return `**${task.name}**, ${task.rows.train} rows to learn from, ${task.rows.validation} to measure on:\n\n${table(head, rows)}`;
    })
    .join('\n\n');
}

/** Average rank and mean over all tasks, best first. */
export function acrossTable({ comparison: { across } }: Evidence): string {
  const rows = [...across].sort((a, b) => a.averageRank - b.averageRank);
  return table(
    ['recipe', 'average rank', 'mean', '95 %'],
    rows.map((row) => [
      ...[row.recipe, row.averageRank.toFixed(2), figure(row.mean?.value), plainInterval(row.mean?.interval)],
    ]),
  );
}

/** What the runs say of claims, each asked after every seed until it is certain, as `hypetune verify` does. */
export function claimTable(
  { plan, cells }: Evidence,
  claims: readonly { readonly name: string; readonly claim: Claim }[],
): string {
  const tasks = plan.tasks.map((task) => ({ name: task.name, metric: metricOf(task) }));
  return table(
    ['claim', 'verdict', ...tasks.map(({ name }) => name)],
    claims.map(({ name, claim }) => {
      const upTo = (seed: number): ClaimAnswer =>
        answerClaim(
          claim,
          tasks,
          plan,
          cells.filter((cell) => cell.seed <= seed),
        );
      const seeds = plan.seeds.slice(0, claim.seeds);
      const certain = seeds.find((seed) => upTo(seed).answer !== 'not yet') ?? seeds.at(-1)!;
      const { answer, tasks: answers } = upTo(certain);
      return [
        `[${claimText(claim)}](../claims/${name}.yaml)`,
        answer,
        ...answers.map(
          ({ pairs, evidence }) =>
            `${pairs} pairs, ${evidence.yes.toPrecision(2)} for, ${evidence.no.toPrecision(2)} against`,
        ),
      ];
    }),
  );
}

/** Differences between two recipes, task by task, p corrected over all of the table; one of which no pair is there is left out. */
export function contrastTable(
  evidence: Evidence,
  contrasts: readonly { readonly what: string; readonly than: string; readonly better: string }[],
): string {
  const { plan, cells } = evidence;
  const found = contrasts.flatMap(({ what, than, better }) => {
    const pair = {
      ...plan,
      recipes: [than, better].map((name) => plan.recipes.find((recipe) => recipe.name === name)!),
    };
    const { figures } = compareCells(pair, cells, evidence.rowsOf);
    return plan.tasks.flatMap((task) => {
      const { difference: d } = of(figures, better, task);
      return d ? [{ what, task, d }] : [];
    });
  });
  const tested = found.filter(({ d }) => d.p !== undefined && !Number.isNaN(d.p));
  const corrected = new Map(holm(tested.map(({ d }) => d.p!)).map((p, place) => [tested[place]!.d, p]));
  return table(
    ['what', 'task', 'pairs', 'difference', '95 %', '95 % with rows', 'p (Holm)'],
    found.map(({ what, task, d }) => [
      ...[what, task.name, String(d.pairs), signed(d.mean), interval(d.interval)],
      ...[interval(d.rowsInterval), probability(corrected.get(d))],
    ]),
  );
}

/** A figure of a run. */
interface Quantity {
  readonly name: (task: Task) => string;
  readonly of: (record: StoredRecord, task: Task) => number | undefined;
}

export const METRIC: Quantity = {
  name: metricOf,
  of: (record, task) => measuredOf(record)?.metrics[metricOf(task)],
};
export const LOSS: Quantity = { name: () => 'loss', of: (record) => measuredOf(record)?.loss };
/** By how much the rows learned from are better predicted than those that were not. */
export const GAP: Quantity = {
  name: (task) => `${metricOf(task)} on the rows learned from less that on the others`,
  of: (record, task) => {
    const [seen, unseen] = [record.training, measuredOf(record)].map((one) => one?.metrics[metricOf(task)]);
    return seen === undefined || unseen === undefined ? undefined : seen - unseen;
  },
};
/** How like each other the tokens of a row are where they leave the last layer. */
export const LAST_SIMILARITY: Quantity = {
  name: () => 'token similarity in the last layer',
  of: ({ similarity }) => similarity?.at(-1),
};

/** Mean of a figure over the seeds of a recipe. */
function meanOf(
  { cells }: Evidence,
  recipe: string,
  task: Task,
  { of: value }: Quantity,
): number | undefined {
  const values = cells.flatMap((cell) => {
    if (cell.recipe !== recipe || cell.task !== task.name || !cell.run) return [];
    return value(cell.run.record, task) ?? [];
  });
  return values.length > 0 ? mean(values) : undefined;
}

/** Means over the values of a grid, a column for each. */
export function gridTable(evidence: Evidence, axis: string, quantity: Quantity): string {
  const { plan } = evidence;
  const points = gridPoints(plan, axis);
  const values = [...new Set(points.map(({ value }) => value))].sort((a, b) => a - b);
  const families = [...new Set(points.map(({ family }) => family))];
  return plan.tasks
    .map((task) => {
      const rows = families.map((family) => [
        family,
        ...values.map((value) => {
          const point = points.find((one) => one.family === family && one.value === value);
          return figure(point && meanOf(evidence, point.name, task, quantity));
        }),
      ]);
      const said = withoutGrid(plan)
        .map(({ name }) => `${name} ${figure(meanOf(evidence, name, task, quantity))}`)
        .join(', ');
      return `**${task.name}**, ${quantity.name(task)}${said === '' ? '' : ` (${said})`}:\n\n${table(['', ...values.map((value) => value.toString())], rows)}`;
    })
    .join('\n\n');
}

/** The same as a picture: curves over the logarithm of the values. */
export function gridPicture(evidence: Evidence, axis: string, task: Task): string {
  const { plan } = evidence;
  const { figures } = evidence.comparison;
  const points = gridPoints(plan, axis);
  const ends = points.map(({ value }) => Math.log10(value));
  const curves: Curve[] = [...new Set(plan.recipes.map(({ family }) => family))].flatMap((family, series) => {
    const own = points.filter((point) => point.family === family);
    const places =
      own.length > 0
        ? own.map(({ name, value }) => ({ x: Math.log10(value), row: of(figures, name, task) }))
        : [Math.min(...ends), Math.max(...ends)].map((x) => ({ x, row: of(figures, family, task) }));
    return curveOf(family, series, places);
  });
  return standalone(
    curveChart(curves, `${metricOf(task)} on ${task.name} by the noise`, {
      x: `log10 of ${axis}`,
      y: metricOf(task),
    }),
  );
}

/** Token similarity by layer at some values of a grid, of one way to add noise, beside the recipes without any. */
export function similarityPicture(evidence: Evidence, axis: string, family: string, task: Task): string {
  const { plan, cells } = evidence;
  const names = [
    ...withoutGrid(plan).map(({ name }) => ({ name, said: name })),
    ...gridPoints(plan, axis)
      .filter((point) => point.family === family)
      .filter((_, place) => place % 2 === 0)
      .map(({ name, value }) => ({ name, said: value.toString() })),
  ];
  const curves: Curve[] = names.flatMap(({ name, said }, series) => {
    const layers = Math.max(
      0,
      ...cells.map(({ recipe, run }) => (recipe === name ? (run?.record.similarity?.length ?? 0) : 0)),
    );
    const points = Array.from({ length: layers }, (_, layer) => {
      const y = meanOf(evidence, name, task, {
        name: () => '',
        of: ({ similarity }) => similarity?.[layer],
      })!;
      return { x: layer, y, low: y, high: y };
    });
    return points.length > 0 ? [{ name: said, series, points }] : [];
  });
  return standalone(
    curveChart(curves, `token similarity on ${task.name} by layer`, { x: 'layer', y: 'token similarity' }),
  );
}

/** Means by the number of labels, from tasks named `NAME ROWS`. */
export function labelTable(evidence: Evidence): string {
  const { plan } = evidence;
  const { figures } = evidence.comparison;
  return labelTasks(plan)
    .map(({ name, sizes }) =>
      [
        `**${name}**, ${metricOf(sizes[0]!.task)}:`,
        table(
          ['recipe', ...sizes.map(({ rows }) => `${rows} labels`)],
          plan.recipes.map(({ name: recipe }) => [
            recipe,
            ...sizes.map(({ task }) => spread(of(figures, recipe, task))),
          ]),
        ),
      ].join('\n\n'),
    )
    .join('\n\n');
}

/** The same as a picture of one of these tasks. */
export function labelPicture(evidence: Evidence, name: string): string {
  const { plan } = evidence;
  const { figures } = evidence.comparison;
  const { sizes } = labelTasks(plan).find((task) => task.name === name)!;
  const metric = metricOf(sizes[0]!.task);
  const curves = plan.recipes.flatMap(({ name: recipe }, series) =>
    curveOf(
      recipe,
      series,
      sizes.map(({ rows, task }) => ({ x: Math.log10(rows), row: of(figures, recipe, task) })),
    ),
  );
  return standalone(
    curveChart(curves, `${metric} on ${name} by labels`, { x: 'log10 of the number of labels', y: metric }),
  );
}

/** How many runs of each recipe ended no better than the most frequent class does. */
export function failureTable({ plan, cells, predictions }: Evidence): string {
  return plan.tasks
    .map((task) => {
      const metric = metricOf(task);
      const rows = plan.recipes.map(({ name }) => {
        const done = cells.filter((cell) => cell.recipe === name && cell.task === task.name && cell.run);
        const failed = done.filter(({ key, metrics }) => {
          const share = majority(predictions.get(key) ?? []);
          return metrics?.accuracy === undefined || metrics.accuracy <= share;
        });
        const good = done.filter((cell) => !failed.includes(cell)).map(({ metrics }) => metrics![metric]!);
        return [
          ...[name, String(done.length), String(failed.length)],
          ...[done.length > 0 ? `${((100 * failed.length) / done.length).toFixed(0)} %` : '-'],
          ...[good.length > 0 ? figure(mean(good)) : '-'],
        ];
      });
      return `**${task.name}**:\n\n${table(['recipe', 'runs', 'failed', 'share', `${metric} of the others`], rows)}`;
    })
    .join('\n\n');
}

function majority(lines: readonly PredictedLine[]): number {
  const counts = new Map<unknown, number>();
  for (const { label } of lines) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Math.max(...counts.values()) / lines.length;
}

function of(figures: readonly RecipeFigures[], recipe: string, task: Task): RecipeFigures {
  return figures.find(
    (row) => row.recipe === recipe && row.task === task.name && row.metric === metricOf(task),
  )!;
}

function spread({ mean: center, deviation }: RecipeFigures): string {
  return center === undefined
    ? '-'
    : `${figure(center)}${deviation === undefined ? '' : ` (${figure(deviation)})`}`;
}

/** Seconds of training without compiling, of the fastest run: what a machine did beside only adds to the others. */
function secondsOf(cells: readonly Cell[], recipe: string, task: Task): number | undefined {
  const seconds = cells.flatMap((cell) =>
    cell.recipe === recipe && cell.task === task.name && cell.run
      ? [cell.run.cost.seconds - cell.run.cost.compileSeconds]
      : [],
  );
  return seconds.length > 0 ? Math.min(...seconds) : undefined;
}

/** What each row makes of the first metric of its task, which the tables have, from predictions that are kept; every figure is computed once. */
function rowsKept({ tasks }: ComparisonPlan, predictions: Evidence['predictions']): RowValues {
  const first = new Map(tasks.map((task) => [task.name, metricOf(task)]));
  const found = new Map<string, readonly number[] | undefined>();
  return ({ key, task, run }, metric) => {
    if (metric !== first.get(task)) return undefined;
    const place = JSON.stringify([task, key]);
    if (!found.has(place)) found.set(place, run && rowValues(predictions.get(key) ?? [], run.record, metric));
    return found.get(place);
  };
}

function gridPoints(plan: ComparisonPlan, axis: string): { name: string; family: string; value: number }[] {
  return plan.recipes.flatMap(({ name, family }) => {
    const found = new RegExp(`${axis.replaceAll('.', '\\.')}=(\\S+)`).exec(name);
    return found ? [{ name, family, value: Number(found[1]) }] : [];
  });
}

/** The recipes that no axis of a grid goes over. */
const withoutGrid = ({ recipes }: ComparisonPlan): ComparisonPlan['recipes'] =>
  recipes.filter(({ name, family }) => name === family);

function labelTasks(plan: ComparisonPlan): { name: string; sizes: { rows: number; task: Task }[] }[] {
  const names = [...new Set(plan.tasks.map(({ name }) => name.split(' ')[0]!))];
  return names.map((name) => ({
    name,
    sizes: plan.tasks
      .filter((task) => task.name.startsWith(`${name} `))
      .map((task) => ({ rows: task.rows.train, task })),
  }));
}

function curveOf(
  name: string,
  series: number,
  places: readonly { readonly x: number; readonly row: RecipeFigures }[],
): Curve[] {
  const points = places.flatMap(({ x, row: { mean: y, interval: range } }) =>
    y === undefined ? [] : [{ x, y, low: range?.low ?? y, high: range?.high ?? y }],
  );
  return points.length > 0 ? [{ name, series, points }] : [];
}

/** A picture of a report as a file of its own. */
function standalone(chart: string): string {
  const svg = /<svg.*<\/svg>/s.exec(chart)![0];
  return `${svg.replace(/^<svg([^>]*)>/, `<svg xmlns="http://www.w3.org/2000/svg"$1><style>${STYLE}</style>`)}\n`;
}
