import { HypetuneError, show } from '../errors.js';
import { multiLabel } from './multi-label.js';
import { regression } from './regression.js';
import { singleLabel } from './single-label.js';
import type { Task } from './task.js';
import { tokenClassification } from './token-classification.js';

/** Short names of the tasks with their default options. */
export type TaskName = 'classification' | 'regression' | 'multi-label' | 'token-classification';

const NAMED: Readonly<Record<TaskName, () => Task>> = {
  classification: singleLabel,
  regression,
  'multi-label': multiLabel,
  'token-classification': tokenClassification,
};

export const TASK_NAMES: readonly TaskName[] = Object.keys(NAMED) as TaskName[];

/** The task of that name with default options, or the task itself. */
export function resolveTask(task: Task | TaskName, owner = 'trainer'): Task {
  const given: unknown = task;
  if (TASK_NAMES.some((name) => name === given)) return NAMED[given as TaskName]();
  const { loss, collate } = (given ?? {}) as Partial<Task>;
  if (typeof loss === 'function' && typeof collate === 'function') return given as Task;
  throw new HypetuneError(
    `${owner}: task must be a task, as singleLabel(), or one of ${TASK_NAMES.map(show).join(', ')}, got ${show(given)}.`,
  );
}
