import { HypetuneError } from '@hypetune/core';
import { resolveSource } from '@hypetune/models';
import type { Settings } from '../settings.js';
import { type DownloadNotes } from '../download.js';
import { firstRows } from './fixed-order.js';
import { GLUE_TASKS, glueTask } from './glue.js';
import { SPAM_SOURCE, spamTask } from './spam.js';
import { tableTask } from './table-task.js';
import type { TextTask } from './task.js';

/** The task that the settings name, cut to their limits. */
export async function openTask(settings: Settings, downloads: DownloadNotes): Promise<TextTask> {
  const { limit, evaluationLimit } = settings;
  const task = await wholeTask(settings, downloads);
  return {
    ...task,
    metrics: settings.metrics ?? task.metrics,
    train: limit === undefined || task.name === 'spam' ? task.train : firstRows(task.train, limit),
    evaluation: evaluationLimit === undefined ? task.evaluation : firstRows(task.evaluation, evaluationLimit),
  };
}

async function wholeTask(settings: Settings, downloads: DownloadNotes): Promise<TextTask> {
  const { train, data } = settings;
  const task = settings.task?.toLowerCase();
  const names = ['spam', ...GLUE_TASKS];
  if (train !== undefined) {
    if (task !== undefined) throw new HypetuneError('--task and --train: give one of them.');
    return tableTask({ ...settings, train });
  }
  if (task === undefined)
    throw new HypetuneError(
      `--task: name one of ${names.join(', ')}, or give a table of your own by --train.`,
    );
  if (task === 'spam')
    return spamTask(
      await downloads((options) => resolveSource(data ?? SPAM_SOURCE, options)),
      settings.limit,
    );
  const name = GLUE_TASKS.find((known) => known.replace('-', '') === task.replace(/[-_]/g, ''));
  if (name === undefined)
    throw new HypetuneError(`--task: there is no task '${task}'; there are ${names.join(', ')}.`);
  if (data === undefined)
    throw new HypetuneError(`--data: task '${name}' needs the folder that holds it, as --data glue.`);
  return glueTask(name, await downloads((options) => resolveSource(data, options)));
}
