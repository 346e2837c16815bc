import type { MetricName } from '@hypetune/core';
import type { SplitStems } from './split-files.js';

/** Names that a column has in the releases of a data set; the first that a table has is meant. */
type ColumnNames = readonly string[];

/** A data set that is known by name, in the releases that are around: its own, GLUE's (Wang et al., 2018), the hub's. */
export interface NamedTask {
  /** Names of the folder that holds its tables; letter case, hyphens and underscores do not count. */
  readonly folders: readonly string[];
  readonly splits: SplitStems;
  readonly columns: {
    readonly text: ColumnNames;
    readonly pair?: ColumnNames;
    readonly label: ColumnNames;
  };
  /** Of `.tsv` files without a header: how many columns there are, and where those that count stand. */
  readonly headless?: {
    readonly count: number;
    readonly text: number;
    readonly pair?: number;
    label: number;
  };
  /** The classes in the order of the outputs, each with the other cells that mean it; none for values from 0 to 5. */
  readonly classes: Readonly<Record<string, readonly string[]>>;
  readonly metrics: readonly MetricName[];
  /** Leave lines out that have another number of columns. */
  readonly skipBroken?: true;
  /** The key of its rows in a JSON file that holds several tasks. */
  readonly list?: string;
  /** The table that holds every split, and its column that says which row is of which. */
  readonly whole?: { readonly stem: string; readonly column: string };
}

const SPLITS: SplitStems = { train: ['train'], dev: ['dev', 'validation'], test: ['test'] };
const sentences = { text: ['sentence1', 'premise'], pair: ['sentence2', 'hypothesis'] };
const accuracy = { metrics: ['accuracy'] } as const;
const nli = {
  splits: SPLITS,
  columns: { ...sentences, label: ['gold_label', 'label'] },
  classes: { entailment: ['0'], neutral: ['1'], contradiction: ['2'] },
  ...accuracy,
};
const entailedOrNot = { entailment: ['0'], not_entailment: ['1'] };

/** MNLI has two sets to measure on, of which the second is of other genres than those learned from. */
const mnli = (set: 'matched' | 'mismatched'): NamedTask => ({
  ...{ ...nli, folders: ['MNLI', 'multinli_1.0'] },
  splits: { train: ['train'], dev: [`dev_${set}`, `validation_${set}`], test: [`test_${set}`] },
});

export const GLUE = {
  cola: {
    ...{ folders: ['CoLA'], splits: SPLITS, metrics: ['matthews', 'accuracy'] },
    columns: { text: ['sentence'], label: ['label'] },
    headless: { count: 4, text: 3, label: 1 },
    classes: { unacceptable: ['0'], acceptable: ['1'] },
  },
  mrpc: {
    ...{ folders: ['MRPC'], splits: SPLITS, metrics: ['accuracy', 'f1'] },
    columns: {
      text: ['#1 String', 'sentence1'],
      pair: ['#2 String', 'sentence2'],
      label: ['Quality', 'label'],
    },
    classes: { not_equivalent: ['0'], equivalent: ['1'] },
  },
  mnli: mnli('matched'),
  'mnli-mismatched': mnli('mismatched'),
  qnli: {
    ...{ folders: ['QNLI'], splits: SPLITS, classes: entailedOrNot, ...accuracy },
    columns: { text: ['question'], pair: ['sentence'], label: ['label'] },
  },
  qqp: {
    ...{ folders: ['QQP'], splits: SPLITS, metrics: ['accuracy', 'f1'], skipBroken: true },
    columns: { text: ['question1'], pair: ['question2'], label: ['is_duplicate', 'label'] },
    classes: { not_duplicate: ['0'], duplicate: ['1'] },
  },
  wnli: {
    ...{ folders: ['WNLI'], splits: SPLITS, ...accuracy },
    columns: { ...sentences, label: ['label'] },
    classes: { not_entailment: ['0'], entailment: ['1'] },
  },
  rte: {
    ...{ folders: ['RTE'], splits: SPLITS, classes: entailedOrNot, ...accuracy },
    columns: { ...sentences, label: ['label'] },
  },
  'sst-2': {
    ...{ folders: ['SST-2'], splits: SPLITS, ...accuracy },
    columns: { text: ['sentence'], label: ['label'] },
    classes: { negative: ['0'], positive: ['1'] },
  },
  'sts-b': {
    ...{ folders: ['STS-B'], splits: SPLITS, classes: {}, metrics: ['pearson', 'spearman'] },
    columns: { ...sentences, label: ['score', 'label'] },
  },
} as const satisfies Record<string, NamedTask>;

/** Natural language inference beside GLUE's. */
const NLI: Readonly<Record<string, NamedTask>> = {
  snli: { ...nli, folders: ['SNLI', 'snli_1.0', 'plain_text'] },
  sick: {
    ...{ ...nli, folders: ['SICK'], whole: { stem: 'SICK', column: 'SemEval_set' } },
    splits: { train: ['train'], dev: ['trial', 'validation'], test: ['test_annotated', 'test'] },
    columns: {
      text: ['sentence_A'],
      pair: ['sentence_B'],
      label: ['entailment_label', 'entailment_judgment', 'label'],
    },
  },
  scitail: {
    ...{ ...nli, folders: ['SciTail', 'SciTailV1.1', 'SciTailV1', 'tsv_format'] },
    headless: { count: 3, text: 0, pair: 1, label: 2 },
    classes: { entailment: ['entails'], neutral: [] },
  },
  hans: {
    ...{ ...nli, folders: ['HANS'] },
    splits: { train: ['train_set', 'train'], dev: ['evaluation_set', 'validation'], test: [] },
    classes: { entailment: ['0'], 'non-entailment': ['1'] },
  },
};

/** A task of Adversarial GLUE (Wang et al., 2021): the columns and classes of GLUE's, rows to measure on alone. */
const adversarial = (task: NamedTask, list: string): NamedTask => ({
  ...task,
  ...{ folders: [`adv_${list}`, 'adv_mnli_mismatched'].slice(list === 'mnli-mm' ? 1 : 0), list },
  splits: { train: [], dev: ['dev', 'validation'], test: [] },
});

/** The tasks by name. */
export const NAMED_TASKS: Readonly<Record<string, NamedTask>> = {
  ...GLUE,
  ...NLI,
  'adv-sst-2': adversarial(GLUE['sst-2'], 'sst2'),
  'adv-qqp': adversarial(GLUE.qqp, 'qqp'),
  'adv-mnli': adversarial(GLUE.mnli, 'mnli'),
  'adv-mnli-mismatched': adversarial(GLUE['mnli-mismatched'], 'mnli-mm'),
  'adv-qnli': adversarial(GLUE.qnli, 'qnli'),
  'adv-rte': adversarial(GLUE.rte, 'rte'),
};

/** A word without letter case, hyphens and underscores. */
export const plainName = (text: string): string => text.toLowerCase().replace(/[-_]/g, '');

/** The task that a user's word means. */
export function taskName(word: string): string | undefined {
  return Object.keys(NAMED_TASKS).find((name) => plainName(name) === plainName(word));
}
