import type { Label, MetricName, Task } from '@hypetune/core';

/** One example of a task on text. */
export interface Row {
  readonly text: string;
  /** The second text of a pair. */
  readonly pair?: string;
  /** In the form that the task wants. */
  readonly label: Label;
}

/** Rows to learn from and rows to measure on. */
export interface TextTask {
  readonly name: string;
  /** What is learned; it has the names of its classes, labels or targets. */
  readonly task: Task;
  /** The first is the one that recipes are compared by. */
  readonly metrics: readonly MetricName[];
  readonly train: readonly Row[];
  readonly evaluation: readonly Row[];
}
