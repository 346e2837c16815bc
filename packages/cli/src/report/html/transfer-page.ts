import type { ClassReport, Evaluation } from '@hypetune/core';
import { intervalChart } from './charts.js';
import { classesTable, confusionTable } from './confusion.js';
import { page, paragraph, picture, section, tableOf } from './page.js';

/** What a run gives on some rows. */
export interface Measured extends Pick<Evaluation, 'loss' | 'metrics'> {
  readonly name: string;
  readonly rows: number;
  /** Classes that counted as others, as `neutral=not_entailment`. */
  readonly labelMap: string;
  readonly report?: ClassReport | undefined;
}

/** One run measured on several tables or tasks, as an HTML file. */
export function transferPage(run: string, measured: readonly Measured[]): string {
  const metrics = [...new Set(measured.flatMap((each) => Object.keys(each.metrics)))];
  const rows = measured.map((each) => [
    ...[each.name, String(each.rows), each.loss.toFixed(4)],
    ...metrics.map((metric) => each.metrics[metric]?.toFixed(4) ?? '-'),
    each.labelMap,
  ]);
  const [first] = metrics;
  const spots = measured.flatMap(({ name, metrics: own }) =>
    own[first!] === undefined ? [] : [{ name, center: own[first!]!, points: [], series: 0 }],
  );
  return page(
    `${run} measured on ${measured.map(({ name }) => name).join(', ')}`,
    paragraph(`${measured.length} ${measured.length === 1 ? 'table' : 'tables'} of rows.`, true),
    [
      section(
        'What transfers',
        tableOf('Figures', ['measured on', 'rows', 'loss', ...metrics, 'counted as'], rows),
        spots.length > 1
          ? picture(intervalChart(spots, `${first!} by table`), `${first!} of one run, table by table.`)
          : '',
      ),
      ...measured.map(({ name, report }) =>
        report ? section(name, classesTable(report), confusionTable(report)) : '',
      ),
    ],
  );
}
