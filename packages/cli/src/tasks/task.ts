import type { MetricName, Task } from '@hypetune/core';

/** One example of a task on text. */
export interface Row {
  readonly text: string;
  /** The second text of a pair. */
  readonly pair?: string;
  /** Class index, or the target value of a regression. */
  readonly label: number;
}

/** Rows to learn from and rows to measure on. */
export interface TextTask {
  readonly name: string;
  readonly kind: Task;
  /** Class names by index; empty for a regression. */
  readonly labels: readonly string[];
  /** The first is the one that recipes are compared by. */
  readonly metrics: readonly MetricName[];
  readonly train: readonly Row[];
  readonly evaluation: readonly Row[];
}
