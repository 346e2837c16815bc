import { FEWEST_RUNS, type Interval } from '@hypetune/statistics';
import type { Cell, ComparisonPlan } from '../store/plan.js';
import { measuredOf } from '../store/record.js';
import { chosenPoints, compareChosen, type Comparison, LEVEL, type RecipeFigures } from './comparison.js';
import { table } from './table.js';

/** The comparison as it is printed: every run, then a table for each task and metric, then how to read them. */
export function comparisonText(plan: ComparisonPlan, cells: readonly Cell[], comparison: Comparison): string {
  const parts = [runsTable(plan, cells)];
  for (const { name, metrics } of plan.tasks)
    for (const metric of metrics) {
      const rows = comparison.figures.filter((row) => row.task === name && row.metric === metric);
      const title = plan.tasks.length > 1 ? `${name}, ${metric}\n` : '';
      parts.push(`${title}${figuresTable(rows, metric)}`);
    }
  if (comparison.across.length > 0)
    parts.push(
      acrossTable(comparison),
      "95 %: of Student's t over the seeds of each task; bootstrap: of the interquartile mean, too narrow where they are few.",
    );
  return [
    ...parts,
    legend(plan),
    [...readings(plan, cells, comparison), ...troubles(cells, comparison)].join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function runsTable(plan: ComparisonPlan, cells: readonly Cell[]): string {
  const metrics = [...new Set(plan.tasks.flatMap((task) => task.metrics))];
  const several = plan.tasks.length > 1;
  return table(
    [
      'recipe',
      ...(several ? ['task'] : []),
      'seed',
      ...metrics,
      'loss',
      'train loss',
      'steps',
      'seconds',
      'compiling',
    ],
    cells
      .filter(({ run }) => run !== undefined)
      .map(({ recipe, task, seed, run, metrics: own }) => {
        const { record, cost } = run!;
        const failed = record.status === 'failed';
        return [
          ...[recipe, ...(several ? [task] : []), String(seed)],
          ...metrics.map((name, place) => (failed && place === 0 ? 'failed' : figure(own?.[name]))),
          ...[
            figure((record.test ?? record.validation)?.loss),
            figure(record.trainLoss),
            String(record.steps),
          ],
          ...[(cost.seconds - cost.compileSeconds).toFixed(1), cost.compileSeconds.toFixed(1)],
        ];
      }),
  );
}

function figuresTable(rows: readonly RecipeFigures[], metric: string): string {
  const first = rows[0]!.recipe;
  const failures = rows.some(({ failed }) => failed > 0);
  return table(
    [
      ...['recipe', 'runs', ...(failures ? ['failed'] : []), `mean ${metric}`, 'sd', 'median', 'iqm', 'best'],
      ...[`against ${first}`, '95 %', '95 % rows', 'better', 'p', 'p (Holm)'],
    ],
    rows.map((row) => [
      row.recipe,
      String(row.values.length),
      ...(failures ? [String(row.failed)] : []),
      ...[row.mean, row.deviation, row.median, row.interquartileMean, row.best].map(figure),
      signed(row.difference?.mean),
      interval(row.difference?.interval),
      interval(row.difference?.rowsInterval),
      row.difference && row.difference.pairs >= FEWEST_RUNS ? percent(row.difference.improvement) : '-',
      probability(row.difference?.p),
      probability(row.difference?.correctedP),
    ]),
  );
}

/** The columns that every written report of recipes begins with. */
export const RECIPE_HEAD = [
  'recipe',
  'runs',
  'failed',
  'mean',
  'sd',
  'median',
  'iqm',
  'best',
  'difference',
  '95 %',
];

/** A recipe's cells under `RECIPE_HEAD`. */
export function recipeCells({ difference, ...row }: RecipeFigures): string[] {
  return [
    ...[row.recipe, String(row.values.length), String(row.failed)],
    ...[row.mean, row.deviation, row.median, row.interquartileMean, row.best].map(figure),
    ...[signed(difference?.mean), interval(difference?.interval)],
  ];
}

function acrossTable({ across }: Comparison): string {
  return table(
    ['over all tasks', 'average rank', 'mean', '95 %', 'iqm', '95 % bootstrap'],
    across.map(({ recipe, averageRank, mean, interquartileMean }) => [
      ...[recipe, averageRank.toFixed(2), figure(mean?.value), plainInterval(mean?.interval)],
      ...[figure(interquartileMean?.value), plainInterval(interquartileMean?.interval)],
    ]),
  );
}

/** How to read the tables; empty for a single recipe. */
export function legend({ recipes }: ComparisonPlan): string {
  const first = recipes[0]!.name;
  if (recipes.length < 2) return '';
  return (
    `against ${first}: paired by seed; 95 %: of Student's t over seeds; 95 % rows: over seeds and measured rows together; ` +
    `better: how often one of its runs beats one of ${first}; p: paired t test, two-sided, (Holm) ` +
    `corrected over the recipes. "-" where a metric is of your own (rows) or fewer than ${FEWEST_RUNS} pairs, or no spread, allow none.`
  );
}

/** What failed and what is not done yet. */
export function troubles(cells: readonly Cell[], { failed, missing }: Comparison): string[] {
  const lines = failed.map(
    ({ recipe, task, seed, run }) => `failed: ${recipe} · ${task} · seed ${seed}: ${run!.record.why ?? ''}`,
  );
  for (const { recipe, task, seed, run, metrics } of cells)
    for (const name of Object.keys((run && measuredOf(run.record)?.metrics) ?? {}))
      if (metrics?.[name] === undefined)
        lines.push(`left out: ${recipe} · ${task} · seed ${seed}: ${name} is no number.`);
  return missing.length > 0 ? [...lines, `not done yet: ${missing.length} of ${cells.length} runs.`] : lines;
}

/** A sentence for each recipe, and the best point of each grid. */
export function readings(plan: ComparisonPlan, cells: readonly Cell[], comparison: Comparison): string[] {
  const lines: string[] = [];
  const first = plan.recipes[0]!.name;
  if (plan.recipes.length > 1)
    for (const row of comparison.figures)
      if (row.metric === metricOf(plan, row.task)) lines.push(...sentence(row, first, plan));
  for (const { name, rows } of plan.tasks)
    if (rows.test === undefined && cells.some(({ task, run }) => task === name && run?.record.best))
      lines.push(
        `${plan.tasks.length > 1 ? `${name}: ` : ''}each run kept the epoch that is best on the rows reported, so these figures are too good; give --test rows.`,
      );
  if (plan.recipes.some(({ name, family }) => name !== family))
    for (const { name, rows } of plan.tasks) {
      const points = [...chosenPoints(plan, cells, name).values()].filter((point) =>
        plan.recipes.some((recipe) => recipe.name === point && recipe.family !== point),
      );
      const warning =
        rows.test === undefined
          ? ' The rows that chose are the rows reported, so these figures are too good; give --test rows.'
          : '';
      if (points.length > 0)
        lines.push(
          `best of each grid${plan.tasks.length > 1 ? ` on ${name}` : ''}: ${points.map((point) => point + failures(cells, point, name)).join('; ')}.${warning}`,
        );
      const [first, ...others] = compareChosen(plan, cells, name);
      for (const row of others)
        lines.push(...sentence(row, first!.recipe, plan).map((said) => `best against best: ${said}`));
    }
  return lines;
}

const metricOf = (plan: ComparisonPlan, task: string): string =>
  plan.tasks.find(({ name }) => name === task)!.metrics[0]!;

/** How many of a point's runs its mean is not of: one that often fails looks better than it is. */
function failures(cells: readonly Cell[], recipe: string, task: string): string {
  const own = cells.filter((cell) => cell.recipe === recipe && cell.task === task);
  const failed = own.filter(({ run }) => run?.record.status === 'failed').length;
  return failed > 0 ? ` (${failed} of its ${own.length} runs failed, which no mean holds)` : '';
}

function sentence(
  { recipe, task, difference }: RecipeFigures,
  first: string,
  plan: ComparisonPlan,
): string[] {
  if (!difference) return [];
  const where = plan.tasks.length > 1 ? ` on ${task}` : '';
  const { pairs, mean, correctedP, pairsNeeded } = difference;
  if (pairs < FEWEST_RUNS)
    return [
      `${recipe}${where}: ${pairs === 1 ? 'one pair' : 'two pairs'} of runs cannot tell it from ${first}.`,
    ];
  if (correctedP === undefined)
    return [
      `${recipe}${where}: all ${pairs} pairs differ by the same ${signed(mean)}, of which no test can be made.`,
    ];
  if (correctedP < LEVEL)
    return [
      `${recipe}${where}: differs from ${first} by ${signed(mean)} (p ${probability(correctedP)}, ${pairs} pairs).`,
    ];
  const more =
    pairsNeeded === undefined
      ? 'no number of seeds that one would run would tell'
      : pairsNeeded <= pairs
        ? 'more seeds would tell'
        : `if the effect is as large as it looks, about ${pairsNeeded - pairs} more seeds would tell (4 times of 5)`;
  return [
    `${recipe}${where}: not told from ${first} by ${pairs} pairs (p ${probability(correctedP)}); ${more}.`,
  ];
}

export function figure(value: number | undefined): string {
  return Number.isFinite(value) ? value!.toFixed(4) : '-';
}

export function signed(value: number | undefined): string {
  if (value === undefined) return '-';
  const size = Math.abs(value).toFixed(4);
  return `${value < 0 && Number(size) > 0 ? '-' : '+'}${size}`;
}

export function interval(range: Interval | undefined): string {
  return range ? `${signed(range.low)} to ${signed(range.high)}` : '-';
}

export function plainInterval(range: Interval | undefined): string {
  return range ? `${range.low.toFixed(4)} to ${range.high.toFixed(4)}` : '-';
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}

export function probability(p: number | undefined): string {
  return p === undefined ? '-' : p < 0.001 ? '<0.001' : p.toFixed(3);
}
