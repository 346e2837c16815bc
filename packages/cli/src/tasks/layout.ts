import type { TaskName } from '@hypetune/core';
import type { Settings } from '../settings.js';
import { GLUE, glueName } from './glue.js';
import type { Labels } from './labels.js';
import { labelColumnsOf, problemOf } from './problems.js';
import type { Columns } from './rows.js';
import type { TableOptions } from './table.js';

/** How tables of a task are read. */
export interface Layout {
  readonly columns: Columns;
  readonly options: TableOptions;
  readonly labels: Labels;
}

/** The layout of a task's tables, from what the run was told and the names of its outputs. */
export function layoutOf(settings: Settings, kind: TaskName, names: readonly string[]): Layout {
  const { textColumn, pairColumn, labelColumn, labelColumns, delimiter, encoding } = settings;
  const given = textColumn ?? pairColumn ?? labelColumn ?? labelColumns;
  const name =
    given === undefined && settings.train === undefined ? glueName(settings.task ?? '') : undefined;
  const glue = name === undefined ? undefined : GLUE[name];
  // With a header the columns are told by their names, however many there are.
  const whole = glue?.header === false ? glue : {};
  if (glue) return { columns: glue.layout, options: whole, labels: glue.labels };
  const problem = problemOf(kind);
  const label = labelColumnsOf(settings, problem);
  return {
    columns: { text: textColumn ?? problem.text, pair: pairColumn, label, words: problem.words },
    options: { delimiter, encoding },
    labels: problem.labels(names, label, settings),
  };
}
