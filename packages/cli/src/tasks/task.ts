import type { Label, Metric, Task } from '@hypetune/core';

/** What a model reads: a text, a pair of them, or the words of a sentence. */
export interface TextRow {
  readonly text: string;
  /** The second text of a pair. */
  readonly pair?: string;
  /** Of a task that labels words; `text` then is their line. */
  readonly words?: readonly string[];
}

/** One example of a task on text. */
export interface Row extends TextRow {
  /** In the form that the task wants, of words one for each word. */
  readonly label: Label;
}

/** Rows to learn from and rows to measure on. */
export interface TextTask {
  readonly name: string;
  /** What is learned; it has the names of its classes, labels or targets. */
  readonly task: Task;
  /** What a row of each class weighs, if not all the same. */
  readonly classWeights?: readonly number[] | undefined;
  /** The first is the one that recipes are compared by. */
  readonly metrics: readonly (string | Metric)[];
  readonly train: readonly Row[];
  readonly evaluation: readonly Row[];
  /** Rows that choose nothing, measured once at the end. */
  readonly test?: readonly Row[] | undefined;
}
