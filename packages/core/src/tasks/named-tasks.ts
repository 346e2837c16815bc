import { checkChoice, HypetuneError } from '../errors.js';
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
  if (typeof task === 'string') return NAMED[checkChoice(owner, 'task', task, TASK_NAMES)]();
  if (typeof (task as Partial<Task> | null)?.loss === 'function' && typeof task.collate === 'function')
    return task;
  throw new HypetuneError(
    `${owner}: task must be a task, as singleLabel(), or one of ${TASK_NAMES.map((name) => `'${name}'`).join(', ')}.`,
  );
}
