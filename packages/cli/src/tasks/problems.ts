import {
  HypetuneError,
  multiLabel,
  regression,
  singleLabel,
  type Task,
  type TaskName,
  tokenClassification,
} from '@hypetune/core';
import type { Settings } from '../settings.js';
import {
  classLabels,
  columnLabels,
  isIndicators,
  labelName,
  type Labels,
  labelsInCell,
  listLabels,
  namesIn,
  valueLabels,
  wordLabels,
  wordsInCell,
} from './labels.js';

/** The cells of the label columns in one row, and where they stand. */
export interface LabelCells {
  readonly cells: readonly unknown[];
  readonly place: string;
}

/** How a table becomes a task of one kind. */
interface Problem {
  /** The columns where none are named. */
  readonly text: string;
  readonly label: string;
  /** The text column holds words. */
  readonly words?: true;
  /** The labels of a row may stand in several columns. */
  readonly several?: true;
  /** Names of the outputs as the label columns or their cells have them. */
  names(rows: readonly LabelCells[], columns: readonly string[], settings: Settings): string[];
  /** How label cells are read where the names are known. */
  labels(names: readonly string[], columns: readonly string[], settings: Settings): Labels;
  task(names: readonly string[]): Task;
}

const separatorOf = ({ labelSeparator = '|' }: Settings): string => labelSeparator;

const PROBLEMS: Readonly<Record<TaskName, Problem>> = {
  classification: {
    text: 'text',
    label: 'label',
    names: (rows) => namesIn(rows.map(({ cells, place }) => labelName(cells[0], place))),
    labels: (names) => classLabels(names),
    task: (labels) => singleLabel({ labels }),
  },
  regression: {
    text: 'text',
    label: 'label',
    several: true,
    names: (rows, columns) => {
      if (columns.length > 1) return [...columns];
      const first = rows[0]?.cells[0];
      return first instanceof Array && first.length > 1 ? first.map((_, target) => `value_${target}`) : [];
    },
    labels: (names) => valueLabels(-Infinity, Infinity, names),
    task: (targets) => regression(targets.length > 0 ? { targets } : {}),
  },
  'multi-label': {
    text: 'text',
    label: 'label',
    several: true,
    names: (rows, columns, settings) => {
      if (columns.length > 1) return [...columns];
      const first = rows[0]?.cells[0];
      const length = first instanceof Array ? first.length : 0;
      if (length > 1 && rows.every(({ cells }) => isIndicators(cells[0], length))) {
        if (settings.labels?.length === length) return [...settings.labels];
        throw new HypetuneError(
          `${rows[0]!.place}: the labels are lists of ${length} zeros and ones; name them in their order by --labels.`,
        );
      }
      return namesIn(
        rows.flatMap(({ cells, place }) => labelsInCell(cells[0], separatorOf(settings), place)),
      );
    },
    labels: (names, columns, settings) =>
      columns.length > 1 ? columnLabels(names) : listLabels(names, separatorOf(settings)),
    task: (labels) => multiLabel({ labels }),
  },
  'token-classification': {
    text: 'tokens',
    label: 'labels',
    words: true,
    names: (rows) =>
      namesIn(
        rows.flatMap(({ cells, place }) =>
          wordsInCell(cells[0], place).map((label) => labelName(label, place)),
        ),
      ),
    labels: (names) => wordLabels(names),
    task: (labels) => tokenClassification({ labels }),
  },
};

/** The kind of task that the settings ask for. */
export function problemName({ problem, regression: values }: Settings): TaskName {
  if (values && problem !== undefined && problem !== 'regression')
    throw new HypetuneError(`--regression and --problem ${problem}: give one of them.`);
  return problem ?? (values ? 'regression' : 'classification');
}

export function problemOf(name: TaskName): Problem {
  return PROBLEMS[name];
}

/** The label columns that the settings name. Throws where the labels of such a problem do not stand in several. */
export function labelColumnsOf({ labelColumn, labelColumns }: Settings, name: TaskName): string[] {
  if (labelColumn !== undefined && labelColumns !== undefined)
    throw new HypetuneError('--label-column and --label-columns: give one of them.');
  const { label, several } = problemOf(name);
  if (labelColumns !== undefined && !several)
    throw new HypetuneError(
      `--label-columns: ${labelColumns.join(', ')} are several, for --problem multi-label or regression, not for ${name}; ` +
        `say which of the two, or name one column by --label-column.`,
    );
  return labelColumns ?? [labelColumn ?? label];
}

/** Throws where the settings name what stands between the labels of a cell, and such a problem has one. */
export function checkSeparator({ labelSeparator }: Settings, name: TaskName): void {
  if (labelSeparator !== undefined && name !== 'multi-label')
    throw new HypetuneError(`--label-separator: is for --problem multi-label, not for ${name}.`);
}
