import { type Dataset, regression, singleLabel, type Task, Trainer } from '@hypetune/core';
import { loadModel } from '@hypetune/models';
import { readRun, type RunRecord } from './run-folder.js';
import { textOptions } from './setup.js';
import type { Row } from './tasks/task.js';
import { textData } from './tasks/text-data.js';

/** A saved run, ready to predict. */
export interface SavedModel {
  readonly record: RunRecord;
  readonly trainer: Trainer;
  /** Rows in the form that the model was trained on. */
  data(rows: readonly (Row | Omit<Row, 'label'>)[]): Dataset;
  dispose(): void;
}

export async function openRun(folder: string, record?: RunRecord): Promise<SavedModel> {
  const known = record ?? (await readRun(folder));
  const options = await textOptions(folder, known.maxLength);
  const { model } = await loadModel(folder);
  return {
    record: known,
    trainer: new Trainer({ model, task: taskOf(known), metrics: known.task.metrics }),
    data: (rows) => textData(rows, options),
    dispose: () => {
      model.dispose();
    },
  };
}

/** The task that a run was trained for. */
function taskOf({ task: { kind, labels } }: RunRecord): Task {
  return kind === 'regression' ? regression() : singleLabel({ labels });
}
