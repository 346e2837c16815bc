import { shellLine } from '../shell-word.js';
import type { Cell, ComparisonPlan } from '../store/plan.js';
import type { Comparison, RecipeFigures } from './comparison.js';
import {
  figure,
  percent,
  legend,
  probability,
  readings,
  RECIPE_HEAD,
  recipeCells,
  signed,
  troubles,
} from './comparison-text.js';

/** How a report is written. */
export const REPORT_FORMATS = ['html', 'markdown', 'latex', 'csv', 'jsonl'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

type Row = readonly string[];

const HEAD = [...RECIPE_HEAD, 'better', 'p', 'p (Holm)'];

function cellsOf(row: RecipeFigures): Row {
  const { difference: d } = row;
  return [
    ...recipeCells(row),
    ...[d ? percent(d.improvement) : '-', probability(d?.p), probability(d?.correctedP)],
  ];
}

/** A table for each task and metric, and the sentences. */
export function markdown(plan: ComparisonPlan, cells: readonly Cell[], comparison: Comparison): string {
  const line = (row: Row): string => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const parts = eachTable(plan, comparison).map(({ title, rows }) =>
    [
      `### ${title}`,
      '',
      line(HEAD),
      line(HEAD.map((_, column) => (column === 0 ? '---' : '---:'))),
      ...rows.map(cellsOf).map(line),
    ].join('\n'),
  );
  const said = [legend(plan), ...readings(plan, cells, comparison), ...troubles(cells, comparison)]
    .filter((text) => text !== '')
    .map((text) => `- ${text}`);
  return [...parts, said.join('\n'), `\`${shellLine(plan.command)}\``].join('\n\n');
}

/** A table for each task and metric, for a paper (booktabs). */
export function latex(plan: ComparisonPlan, comparison: Comparison): string {
  return eachTable(plan, comparison)
    .map(({ title, rows }) => {
      const lines = rows.map(({ recipe, mean, deviation, values, difference }) => {
        const spread = deviation === undefined ? '' : ` $\\pm$ ${deviation.toFixed(4)}`;
        const { interval: range, mean: gain, correctedP } = difference ?? {};
        const star = correctedP !== undefined && correctedP < 0.05 ? '$^{*}$' : '';
        return [
          ...[latexText(recipe), String(values.length), `${figure(mean)}${spread}`],
          ...[
            gain === undefined ? '--' : `$${signed(gain)}$${star}`,
            range ? `$[${signed(range.low)}, ${signed(range.high)}]$` : '--',
          ],
          correctedP === undefined ? '--' : `$${probability(correctedP)}$`,
        ].join(' & ');
      });
      const first = latexText(plan.recipes[0]!.name);
      return [
        '\\begin{table}',
        '\\centering',
        `\\caption{${latexText(title)}: mean $\\pm$ deviation over seeds; difference to ${first} paired by seed, with its 95\\,\\% interval; $^{*}$ $p < 0.05$ after Holm's correction.}`,
        '\\begin{tabular}{lrrrrr}',
        '\\toprule',
        'recipe & runs & mean & difference & 95\\,\\% & $p$ (Holm) \\\\',
        '\\midrule',
        ...lines.map((text) => `${text} \\\\`),
        '\\bottomrule',
        '\\end{tabular}',
        '\\end{table}',
      ].join('\n');
    })
    .join('\n\n');
}

function latexText(text: string): string {
  return text.replace(/[\\&%$#_{}~^]/g, (character) =>
    character === '\\'
      ? '\\textbackslash{}'
      : character === '~' || character === '^'
        ? `\\${character}{}`
        : `\\${character}`,
  );
}

/** A line a run. */
export function csv(plan: ComparisonPlan, cells: readonly Cell[]): string {
  const metrics = [...new Set(plan.tasks.flatMap((task) => task.metrics))];
  const head = [
    'recipe',
    'task',
    'seed',
    'status',
    ...metrics,
    'loss',
    'train_loss',
    'steps',
    'seconds',
    'compile_seconds',
    'memory_bytes',
    'key',
  ];
  const lines = cells.map(({ recipe, task, seed, key, run, metrics: own }) =>
    [
      ...[recipe, task, seed, run?.record.status ?? 'missing', ...metrics.map((name) => own?.[name])],
      ...[(run?.record.test ?? run?.record.validation)?.loss, run?.record.trainLoss, run?.record.steps],
      ...[run?.cost.seconds, run?.cost.compileSeconds, run?.cost.memoryBytes, key],
    ].map((value) => csvCell(value ?? '')),
  );
  return [head, ...lines].map((line) => line.join(',')).join('\n');
}

function csvCell(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A JSON text a run, with all that is stored of it but its curve and predictions. */
export function jsonl(cells: readonly Cell[]): string {
  return cells
    .map(({ recipe, task, seed, key, run, metrics }) =>
      JSON.stringify({ recipe, task, seed, key, metrics, ...run?.record, cost: run?.cost }),
    )
    .join('\n');
}

function eachTable(
  plan: ComparisonPlan,
  { figures }: Comparison,
): { title: string; rows: RecipeFigures[] }[] {
  return plan.tasks.flatMap(({ name, metrics }) =>
    metrics.map((metric) => ({
      title: `${metric} on ${name}`,
      rows: figures.filter((row) => row.task === name && row.metric === metric),
    })),
  );
}

/** All of it for a program. */
export function comparisonData(
  plan: ComparisonPlan,
  cells: readonly Cell[],
  { figures, across }: Comparison,
): object {
  const recipes = plan.recipes.map(({ name, family, entry }) => ({
    ...{ ...entry, name },
    ...(family !== name && { family }),
  }));
  const runs = cells
    .filter(({ run }) => run !== undefined)
    .map(({ recipe, task, seed, key, run, metrics }) => ({
      ...{ recipe, task, seed, key, status: run!.record.status, why: run!.record.why, metrics },
      ...{ loss: (run!.record.test ?? run!.record.validation)?.loss, trainLoss: run!.record.trainLoss },
      ...{ steps: run!.record.steps, ...run!.cost },
    }));
  return { recipes, tasks: plan.tasks, runs, comparison: figures, across };
}
