import type { Label, Prediction } from '../tasks/task.js';
import { labelName } from '../tasks/task.js';
import { classPairs, type ClassCount, countClasses, f1, precision, recall } from './counts.js';
import { countEntities, isEntityScheme } from './entities.js';
import type { MetricContext } from './metric.js';

/** The figures of one class, label or type of entity. */
export interface ClassFigures {
  readonly name: string;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  /** Rows (tokens, entities) that are of it. */
  readonly support: number;
  /** Rows (tokens, entities) predicted to be of it. */
  readonly predicted: number;
}

/** What predictions look like class by class. */
export interface ClassReport {
  /** In the order of the outputs; types of entities in alphabetical order. */
  readonly classes: readonly ClassFigures[];
  /** `confusion[label][predicted]`: how often; absent where a row has several labels, or entities are counted. */
  readonly confusion?: readonly (readonly number[])[];
}

/** The figures of every class; undefined for values. */
export function classReport(
  predictions: readonly Prediction[],
  labels: readonly Label[],
  { task, outputs }: MetricContext,
): ClassReport | undefined {
  const { kind } = task;
  if (kind === 'values') return undefined;
  if (kind === 'tokens' && task.labels?.every(isEntityScheme))
    return {
      classes: [...countEntities(predictions, labels, task.labels)].map(([name, count]) =>
        figures(name, count),
      ),
    };
  const classes = countClasses(kind, predictions, labels, outputs).map((count, index) =>
    figures(labelName(task.labels, index), count),
  );
  if (kind === 'indicators') return { classes };
  const confusion = classes.map(() => new Array<number>(outputs).fill(0));
  for (const [predicted, label] of classPairs(predictions, labels)) confusion[label]![predicted]! += 1;
  return { classes, confusion };
}

function figures(name: string, count: ClassCount): ClassFigures {
  return {
    name,
    ...{ precision: precision(count), recall: recall(count), f1: f1(count) },
    ...{ support: count.present, predicted: count.predicted },
  };
}
