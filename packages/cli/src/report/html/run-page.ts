import type { ClassReport } from '@hypetune/core';
import type { CurveLine } from '../../store/record.js';
import { curveChart } from './charts.js';
import { classesTable, confusionTable } from './confusion.js';
import { lossCurve, metricCurve } from './curves.js';
import { code, page, paragraph, picture, section, tableOf } from './page.js';

/** A row that a model is wrong about. */
export interface WrongRow {
  readonly text: string;
  readonly label: string;
  readonly predicted: string;
  readonly loss: number;
}

export interface RunReport {
  readonly title: string;
  /** One line: methods and options. */
  readonly recipe: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly metrics: Readonly<Record<string, number>>;
  readonly curve: readonly CurveLine[];
  readonly classes?: ClassReport | undefined;
  readonly wrong: readonly WrongRow[];
  readonly settings: unknown;
}

/** One run as an HTML file. */
export function runPage(report: RunReport): string {
  const { title, recipe, facts, metrics, curve, classes, wrong, settings } = report;
  const measured = [
    ...new Set(curve.flatMap((line) => (line.kind === 'evaluation' ? Object.keys(line.metrics) : []))),
  ];
  const loss = lossCurve('training loss', 1, [curve]);
  const measuredLoss = metricCurve('loss of the measured rows', 2, [curve], 'loss');
  return page(title, paragraph(recipe, true), [
    section(
      'What was measured',
      tableOf(
        'Figures',
        ['figure', 'value'],
        [...Object.entries(metrics).map(([name, value]) => [name, value.toFixed(4)]), ...facts],
      ),
    ),
    loss.points.length === 0
      ? ''
      : section(
          'Learning curves',
          picture(
            curveChart([loss, ...(measuredLoss.points.length > 0 ? [measuredLoss] : [])], 'Loss by step', {
              x: 'step',
              y: 'loss',
            }),
            "Training loss, the methods' terms included, as the mean of windows of steps; loss of the measured rows where it was taken on the way.",
          ),
          ...measured
            .filter((name) => name !== 'loss')
            .map((name) =>
              picture(
                curveChart([metricCurve(name, 3, [curve], name)], `${name} by step`, { x: 'step', y: name }),
                `${name} of the measured rows.`,
              ),
            ),
        ),
    classes ? section('Classes', classesTable(classes), confusionTable(classes)) : '',
    wrong.length === 0
      ? ''
      : section(
          'The rows it is most wrong about',
          tableOf(
            'Rows with the highest loss',
            ['loss', 'label', 'predicted', 'text'],
            wrong.map((row) => [row.loss.toFixed(3), row.label, row.predicted, row.text]),
            (column) => (column === 3 ? 'text' : ''),
          ),
        ),
    section('Settings', code(JSON.stringify(settings, null, 2))),
  ]);
}
