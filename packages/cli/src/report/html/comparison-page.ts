import { mean } from '@hypetune/statistics';
import type { CurveLine } from '../../store/record.js';
import { type Cell, type ComparisonPlan, greaterIsBetter } from '../../store/plan.js';
import { shellLine } from '../../shell-word.js';
import type { Comparison, RecipeFigures } from '../comparison.js';
import {
  figure,
  interval,
  percent,
  plainInterval,
  probability,
  legend,
  readings,
  RECIPE_HEAD,
  recipeCells,
  signed,
} from '../comparison-text.js';
import { curveChart, intervalChart, spotChart } from './charts.js';
import { lossCurve, metricCurve } from './curves.js';
import { code, folded, list, page, paragraph, picture, section, tableOf } from './page.js';

export interface ComparisonReport {
  readonly plan: ComparisonPlan;
  readonly cells: readonly Cell[];
  readonly comparison: Comparison;
  readonly curves: ReadonlyMap<string, readonly CurveLine[]>;
  /** What each recipe costs a step, in the words of its methods. */
  readonly costOf: (recipe: string) => string;
  readonly title?: string | undefined;
}

/** A comparison as one HTML file. */
export function comparisonPage(report: ComparisonReport): string {
  const { plan, cells, comparison } = report;
  const names = plan.tasks.map(({ name }) => name).join(', ');
  const title = report.title ?? `${plan.recipes.length} recipes on ${names}`;
  const done = cells.filter(({ run }) => run?.record.status === 'finished').length;
  const state = [
    `${done} of ${cells.length} runs`,
    ...(comparison.failed.length > 0 ? [`${comparison.failed.length} failed`] : []),
    ...(comparison.missing.length > 0 ? [`${comparison.missing.length} not done yet`] : []),
  ].join(', ');
  const lead = paragraph(`${state}; seeds ${plan.seeds.join(', ')}.`, true);
  return page(title, lead, [
    section('What they say', list(readings(plan, cells, comparison))),
    ...plan.tasks.map((task) => taskSection(report, task)),
    ...labelCurves(report),
    acrossSection(comparison),
    costSection(report),
    failedSection(comparison),
    section('Every run', folded(`${cells.length} runs`, runsTable(plan, cells))),
    recipesSection(report),
    originSection(report),
  ]);
}

const seriesOf = (plan: ComparisonPlan, recipe: string): number =>
  plan.recipes.findIndex(({ name }) => name === recipe);

function taskSection(
  { plan, cells, comparison, curves }: ComparisonReport,
  task: ComparisonPlan['tasks'][number],
): string {
  const first = plan.recipes[0]!.name;
  const { name, metrics, rows, model } = task;
  const parts: string[] = [
    paragraph(
      `${rows.train} rows to learn from, ${rows.validation} ${rows.test === undefined ? 'to measure on' : `to choose by, ${rows.test} to test on`}; model ${model}.`,
      true,
    ),
  ];
  const of = (metric: string): RecipeFigures[] =>
    comparison.figures.filter((row) => row.task === name && row.metric === metric);
  const [metric] = metrics as readonly [string];
  const shown = of(metric).filter((row) => row.mean !== undefined);
  if (shown.length > 0) {
    parts.push(
      picture(
        intervalChart(
          shown.map((row) => ({
            ...{ name: row.recipe, center: row.mean!, interval: row.interval, points: row.values },
            series: seriesOf(plan, row.recipe),
          })),
          `${metric} of each recipe on ${name}`,
        ),
        `${metric} of every run (dots), the mean (square) and its 95 % interval of Student's t over seeds, where there are three runs or more.`,
      ),
    );
    const against = shown.filter(({ difference }) => difference);
    if (against.length > 0)
      parts.push(
        picture(
          intervalChart(
            against.map(({ recipe, difference }) => ({
              ...{ name: recipe, center: difference!.mean, interval: difference!.interval },
              points: pairedPoints(cells, first, recipe, name, metric),
              series: seriesOf(plan, recipe),
            })),
            `Differences in ${metric} to ${first} on ${name}`,
            0,
          ),
          `Difference in ${metric} to ${first}: of each seed (dots), the mean (square), its 95 % interval of Student's t.`,
        ),
      );
  }
  parts.push(...metrics.map((measured) => figuresTable(plan, of(measured), measured, name)));
  parts.push(...curvePictures(plan, cells, curves, name, metric));
  return section(name, ...parts);
}

function pairedPoints(
  cells: readonly Cell[],
  first: string,
  recipe: string,
  task: string,
  metric: string,
): number[] {
  const value = (of: string, seed: number): number | undefined =>
    cells.find((cell) => cell.recipe === of && cell.task === task && cell.seed === seed)?.metrics?.[metric];
  return cells
    .filter((cell) => cell.recipe === recipe && cell.task === task)
    .map(({ seed }) => (value(recipe, seed) ?? NaN) - (value(first, seed) ?? NaN))
    .filter((difference) => !Number.isNaN(difference));
}

function figuresTable(
  plan: ComparisonPlan,
  rows: readonly RecipeFigures[],
  metric: string,
  task: string,
): string {
  const first = plan.recipes[0]!.name;
  const table = tableOf(
    `${metric} on ${task}; differences to ${first}, paired by seed`,
    [
      ...[...RECIPE_HEAD, '95 % with rows'],
      ...['effect', 'better', 'p', 'p (Holm)', 'Wilcoxon', 'permutation', 'stochastic order'],
    ],
    rows.map((row) => {
      const { difference: d } = row;
      return [
        ...[...recipeCells(row), interval(d?.rowsInterval), d?.effect?.toFixed(2) ?? '-'],
        ...[d ? percent(d.improvement) : '-', probability(d?.p), probability(d?.correctedP)],
        ...[probability(d?.wilcoxonP), probability(d?.permutationP), d?.stochasticOrder?.toFixed(2) ?? '-'],
      ];
    }),
  );
  return `${table}${paragraph(legend(plan), true)}`;
}

function curvePictures(
  plan: ComparisonPlan,
  cells: readonly Cell[],
  curves: ReadonlyMap<string, readonly CurveLine[]>,
  task: string,
  metric: string,
): string[] {
  const runsOf = (recipe: string): (readonly CurveLine[])[] =>
    cells
      .filter((cell) => cell.recipe === recipe && cell.task === task)
      .flatMap(({ key }) => (curves.has(key) ? [curves.get(key)!] : []));
  const losses = plan.recipes
    .map(({ name }, place) => lossCurve(name, place, runsOf(name)))
    .filter(({ points }) => points.length > 0);
  if (losses.length === 0) return [];
  const measured = plan.recipes
    .map(({ name }, place) => metricCurve(name, place, runsOf(name), metric))
    .filter(({ points }) => points.length > 0);
  return [
    picture(
      curveChart(losses, `Training loss on ${task}`, { x: 'step', y: 'training loss' }),
      "Training loss, the methods' terms included: mean over seeds, and from the lowest to the highest (band).",
    ),
    ...(measured.length > 0
      ? [
          picture(
            curveChart(measured, `${metric} on the way on ${task}`, { x: 'step', y: metric }),
            `${metric} of the rows that choose, on the way: mean over seeds, and from the lowest to the highest (band).`,
          ),
        ]
      : []),
  ];
}

/** What each recipe makes of how many rows, for each task whose rows a grid goes over. */
function labelCurves({ plan, comparison }: ComparisonReport): string[] {
  const families = [...new Set(plan.tasks.flatMap(({ family }) => (family === undefined ? [] : [family])))];
  return families.flatMap((family) => {
    const points = plan.tasks
      .filter((task) => task.family === family)
      .sort((a, b) => a.rows.train - b.rows.train);
    const [metric] = points[0]!.metrics as readonly [string];
    const figuresOf = (recipe: string): { readonly x: number; readonly row: RecipeFigures }[] =>
      points.flatMap(({ name, rows }) => {
        const row = comparison.figures.find(
          (found) => found.recipe === recipe && found.task === name && found.metric === metric,
        );
        return row?.mean === undefined ? [] : [{ x: rows.train, row }];
      });
    const curves = plan.recipes
      .map(({ name }, series) => ({
        ...{ name, series },
        points: figuresOf(name).map(({ x, row: { mean: y, values } }) => ({
          ...{ x, y: y!, low: Math.min(...values), high: Math.max(...values) },
        })),
      }))
      .filter((curve) => curve.points.length > 0);
    if (curves.length === 0 || points.length < 2) return [];
    return [
      section(
        `${family} by the number of rows`,
        picture(
          curveChart(curves, `${metric} on ${family} by rows learned from`, {
            ...{ x: 'rows to learn from', y: metric },
          }),
          `${metric} by the number of rows to learn from: mean over seeds, and from the lowest to the highest (band). Fewer rows are a part of more.`,
        ),
        tableOf(
          `Mean ${metric} on ${family} and its deviation over seeds, by rows to learn from`,
          ['recipe', ...points.map(({ rows }) => String(rows.train))],
          plan.recipes.map(({ name }) => [
            name,
            ...points.map(({ rows }) => {
              const found = figuresOf(name).find(({ x }) => x === rows.train)?.row;
              const spread = found?.deviation === undefined ? '' : ` ± ${figure(found.deviation)}`;
              return `${figure(found?.mean)}${spread}`;
            }),
          ]),
        ),
      ),
    ];
  });
}

function acrossSection({ across }: Comparison): string {
  if (across.length === 0) return '';
  return section(
    'Over all tasks',
    tableOf(
      "Ranks and means of the first metric of each task; the mean's interval of Student's t over seeds, the interquartile mean's by stratified bootstrap",
      ['recipe', 'average rank', 'mean', '95 %', 'interquartile mean', '95 %'],
      across.map(({ recipe, averageRank, mean: all, interquartileMean }) => [
        ...[recipe, averageRank.toFixed(2), figure(all?.value), plainInterval(all?.interval)],
        ...[figure(interquartileMean?.value), plainInterval(interquartileMean?.interval)],
      ]),
    ),
  );
}

function costSection({ plan, cells, comparison, costOf }: ComparisonReport): string {
  const first = plan.recipes[0]!.name;
  const rows = plan.recipes.flatMap(({ name }, place) => {
    const done = cells.filter((cell) => cell.recipe === name && cell.run?.record.status === 'finished');
    if (done.length === 0) return [];
    const over = (value: (cell: Cell) => number): number => mean(done.map(value));
    const gains = comparison.figures
      .filter(
        (row) =>
          row.recipe === name &&
          plan.tasks.some((task) => task.name === row.task && task.metrics[0] === row.metric),
      )
      .map(
        ({ metric, difference }) => difference && (greaterIsBetter(metric, plan) ? 1 : -1) * difference.mean,
      );
    return [
      {
        ...{ name, place },
        step: over(
          ({ run }) =>
            ((run!.cost.seconds - run!.cost.compileSeconds) * 1000) / Math.max(1, run!.record.steps),
        ),
        seconds: over(({ run }) => run!.cost.seconds - run!.cost.compileSeconds),
        compiling: over(({ run }) => run!.cost.compileSeconds),
        memory: Math.max(...done.map(({ run }) => run!.cost.memoryBytes)) / 2 ** 20,
        // Unknown where it has no pair with the first on some task.
        gain: name === first ? 0 : gains.includes(undefined) ? undefined : mean(gains as number[]),
      },
    ];
  });
  if (rows.length === 0) return '';
  const spots = rows.flatMap(({ name, place, step, gain }) =>
    gain === undefined ? [] : [{ name, series: place, x: step, y: gain }],
  );
  return section(
    'Cost and gain',
    tableOf(
      'What a run costs, in the mean, and what it gains: more is better, of every metric',
      ['recipe', 'seconds', 'ms a step', 'compiling, s', 'memory, MB', `gain on ${first}`, 'passes'],
      rows.map((row) => [
        ...[
          row.name,
          row.seconds.toFixed(1),
          row.step.toFixed(0),
          row.compiling.toFixed(1),
          row.memory.toFixed(0),
        ],
        ...[row.name === first ? '-' : signed(row.gain), costOf(row.name)],
      ]),
      (column) => (column === 6 ? 'text' : ''),
    ),
    picture(
      spotChart(spots, 'Milliseconds a step and gain of each recipe', {
        x: 'milliseconds a step',
        y: `gain on ${first}`,
      }),
      'Up is better, left is cheaper. Seconds are those of the machine that did the run, compiling left out; memory is that of the whole process.',
    ),
  );
}

function failedSection({ failed }: Comparison): string {
  if (failed.length === 0) return '';
  return section(
    'Runs that failed',
    tableOf(
      'They are in no mean',
      ['recipe', 'task', 'seed', 'steps', 'why'],
      failed.map(({ recipe, task, seed, run }) => [
        recipe,
        task,
        String(seed),
        String(run!.record.steps),
        run!.record.why ?? '',
      ]),
      (column) => (column === 4 ? 'text' : ''),
    ),
  );
}

function runsTable(plan: ComparisonPlan, cells: readonly Cell[]): string {
  const metrics = [...new Set(plan.tasks.flatMap((task) => task.metrics))];
  return tableOf(
    'Every run',
    ['recipe', 'task', 'seed', ...metrics, 'loss', 'train loss', 'steps', 'seconds', 'compiling, s', 'key'],
    cells.map(({ recipe, task, seed, key, run, metrics: own }) => [
      ...[recipe, task, String(seed), ...metrics.map((metric) => figure(own?.[metric]))],
      ...[figure((run?.record.test ?? run?.record.validation)?.loss), figure(run?.record.trainLoss)],
      ...(run
        ? [String(run.record.steps), run.cost.seconds.toFixed(1), run.cost.compileSeconds.toFixed(1)]
        : ['not done yet', '-', '-']),
      key.slice(0, 12),
    ]),
  );
}

function recipesSection({ plan, cells }: ComparisonReport): string {
  return section(
    'The recipes as they were resolved',
    ...plan.recipes.map(({ name, description }) => {
      const run = cells.find((cell) => cell.recipe === name && cell.run)?.run;
      const { recipe, settings } = run?.record.identity ?? {};
      return folded(description, code(JSON.stringify(run ? { ...recipe, settings } : {}, null, 2)));
    }),
  );
}

function originSection({ plan, cells }: ComparisonReport): string {
  const runs = cells.flatMap(({ task, run }) => (run ? [{ task, run }] : []));
  const machines = [...new Set(runs.map(({ run }) => Object.values(run.cost.environment).join(', ')))];
  const engines = [
    ...new Set(
      runs.map(({ run }) => `hypetune ${run.record.identity.release}, engine ${run.record.identity.engine}`),
    ),
  ];
  const hashes = plan.tasks.flatMap(({ name }) => {
    const identity = runs.find(({ task }) => task === name)?.run.record.identity;
    if (!identity) return [];
    const { train, validation, test } = identity.rows;
    return [
      [`${name}: rows to learn from`, train],
      [`${name}: rows to ${test === undefined ? 'measure on' : 'choose by'}`, validation],
      ...(test === undefined ? [] : [[`${name}: rows to test on`, test]]),
      [`${name}: weights`, identity.weights],
    ];
  });
  return section(
    'Where it comes from',
    tableOf('SHA-256 of the data and the weights', ['what', 'hash'], hashes, () => 'text'),
    list([...engines, ...machines]),
    paragraph('The command that makes it again:'),
    code(shellLine(plan.command)),
  );
}
