import type { Label, Prediction, Task } from '../tasks/task.js';

/** A number that says how good predictions are. A user's own is an object of this form. */
export interface Metric {
  readonly name: string;
  readonly greaterIsBetter: boolean;
  /** The metric of a whole data set, from the prediction and the label of each row. `outputs`: of the model, as the task counts them. */
  compute(predictions: readonly Prediction[], labels: readonly Label[], context: MetricContext): number;
  /** Throws a `HypetuneError` where the metric cannot measure this task; called before any training. */
  check?(context: MetricContext): void;
}

/** Whether a value, as a module's export, is a metric. */
export function isMetric(value: unknown): value is Metric {
  const { name, greaterIsBetter, compute } = (value ?? {}) as Partial<Metric>;
  return typeof name === 'string' && typeof greaterIsBetter === 'boolean' && typeof compute === 'function';
}

/** What a metric may know beside the rows. */
export interface MetricContext {
  readonly task: Task;
  /** Classes, labels or targets of the model. */
  readonly outputs: number;
}
