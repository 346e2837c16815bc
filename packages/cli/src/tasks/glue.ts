import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HypetuneError, type MetricName, regression, singleLabel } from '@hypetune/core';
import { classLabels, type Labels, valueLabels } from './labels.js';
import { type Columns, rowsOf } from './rows.js';
import { readTable, type TableOptions } from './table.js';
import type { Row, TextTask } from './task.js';

/** A GLUE task (Wang et al., 2018) in its original TSV layout. */
interface GlueTask extends TableOptions {
  readonly folder: string;
  readonly columns?: number;
  /** Name of the file to measure on, without its ending (default: dev). */
  readonly dev?: string;
  readonly layout: Columns;
  readonly labels: Labels;
  readonly metrics: readonly MetricName[];
}

const sentencePair = { text: 'sentence1', pair: 'sentence2' } as const;

/** MNLI has two sets to measure on, of which the second is of other genres than those learned from. */
const mnli = (dev: string): GlueTask => ({
  ...{ folder: 'MNLI', dev, layout: { ...sentencePair, label: 'gold_label' }, metrics: ['accuracy'] },
  labels: classLabels(['entailment', 'neutral', 'contradiction']),
});

/** The tasks by name. */
export const GLUE: Readonly<Record<string, GlueTask>> = {
  cola: {
    folder: 'CoLA',
    header: false,
    columns: 4,
    layout: { text: 3, label: 1 },
    labels: classLabels(['0', '1'], ['unacceptable', 'acceptable']),
    metrics: ['matthews', 'accuracy'],
  },
  mrpc: {
    folder: 'MRPC',
    columns: 5,
    layout: { text: '#1 String', pair: '#2 String', label: 'Quality' },
    labels: classLabels(['0', '1'], ['not_equivalent', 'equivalent']),
    metrics: ['accuracy', 'f1'],
  },
  mnli: mnli('dev_matched'),
  'mnli-mismatched': mnli('dev_mismatched'),
  qnli: {
    folder: 'QNLI',
    columns: 4,
    layout: { text: 'question', pair: 'sentence', label: 'label' },
    labels: classLabels(['entailment', 'not_entailment']),
    metrics: ['accuracy'],
  },
  qqp: {
    folder: 'QQP',
    columns: 6,
    skipBroken: true,
    layout: { text: 'question1', pair: 'question2', label: 'is_duplicate' },
    labels: classLabels(['0', '1'], ['not_duplicate', 'duplicate']),
    metrics: ['accuracy', 'f1'],
  },
  wnli: {
    folder: 'WNLI',
    columns: 4,
    layout: { ...sentencePair, label: 'label' },
    labels: classLabels(['0', '1'], ['not_entailment', 'entailment']),
    metrics: ['accuracy'],
  },
  rte: {
    folder: 'RTE',
    columns: 4,
    layout: { ...sentencePair, label: 'label' },
    labels: classLabels(['entailment', 'not_entailment']),
    metrics: ['accuracy'],
  },
  'sst-2': {
    folder: 'SST-2',
    columns: 2,
    layout: { text: 'sentence', label: 'label' },
    labels: classLabels(['0', '1'], ['negative', 'positive']),
    metrics: ['accuracy'],
  },
  'sts-b': {
    folder: 'STS-B',
    columns: 10,
    layout: { ...sentencePair, label: 'score' },
    labels: valueLabels(0, 5),
    metrics: ['pearson', 'spearman'],
  },
};

export const GLUE_TASKS: readonly string[] = Object.keys(GLUE);

/** The task that a user's word means: letter case, hyphens and underscores do not count. */
export function glueName(word: string): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[-_]/g, '');
  return GLUE_TASKS.find((name) => plain(name) === plain(word));
}

/** The official train and development split of a task, from `<folder>/<task>/{train,dev}.tsv` or `<folder>/{train,dev}.tsv`; `test`: a labelled table of the same layout. */
export async function glueTask(name: string, folder: string, test?: string): Promise<TextTask> {
  const task = GLUE[name]!;
  const home = await taskFolder(folder, task.folder);
  const readFrom = async (file: string): Promise<Row[]> =>
    rowsOf(await readTable(file, task), task.layout, task.labels);
  const read = (split: string): Promise<Row[]> => readFrom(join(home, `${split}.tsv`));
  return {
    name,
    task: task.labels.names.length > 0 ? singleLabel({ labels: task.labels.names }) : regression(),
    metrics: task.metrics,
    train: await read('train'),
    evaluation: await read(task.dev ?? 'dev'),
    ...(test !== undefined && { test: await readFrom(test) }),
  };
}

async function taskFolder(folder: string, task: string): Promise<string> {
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch {
    throw new HypetuneError(`data: there is no folder '${folder}'.`);
  }
  const found = entries.find((entry) => entry.toLowerCase() === task.toLowerCase());
  if (found) return join(folder, found);
  if (entries.includes('train.tsv')) return folder;
  throw new HypetuneError(`data: neither ${join(folder, task)} nor ${join(folder, 'train.tsv')} exists.`);
}
