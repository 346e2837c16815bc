import { HypetuneError } from '@hypetune/core';
import { labelsOf, loadModel, modelConfig, resolveModel } from '@hypetune/models';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { DownloadNotes } from './download.js';
import { readJson } from './json-file.js';
import type { Models } from './recipes.js';
import { type Setup, textOptions } from './setup.js';

/** Rows by which two tokenizers are compared. */
const COMPARED = 20;

/**
 * Loads the models that recipes name, once each, on the engine at hand; to be disposed by the caller. Throws where one has no
 * trained head, reads other tokens than the model that is tuned, or has other labels than the task.
 */
export async function openModels(
  names: readonly string[],
  setup: Setup,
  downloads: DownloadNotes,
): Promise<Models> {
  const models = new Map<string, LayersModel>();
  try {
    for (const name of new Set(names)) {
      const folder = await downloads((options) => resolveModel(name, options));
      await checkTokens(name, folder, setup);
      await checkLabels(name, folder, setup);
      const { model, head } = await loadModel(folder);
      models.set(name, model);
      if (head.head === 'new')
        throw new HypetuneError(
          `${name}: the checkpoint has no trained head; train one by hypetune train --out.`,
        );
    }
    return models;
  } catch (error) {
    disposeModels(models);
    throw error;
  }
}

export function disposeModels(models: Models): void {
  for (const model of models.values()) model.dispose();
}

async function checkTokens(
  name: string,
  folder: string,
  { task, maxLength, ...setup }: Setup,
): Promise<void> {
  const [own, tuned] = [await textOptions(folder, maxLength), await textOptions(setup.folder, maxLength)];
  const other = task.train
    .slice(0, COMPARED)
    .find(
      (row) => String(own.encode(row, maxLength).inputIds) !== String(tuned.encode(row, maxLength).inputIds),
    );
  if (other)
    throw new HypetuneError(
      `${name}: the model reads other tokens than the one that is tuned, first in '${other.text.slice(0, 40)}'; take one with the same tokenizer.`,
    );
}

async function checkLabels(name: string, folder: string, { task: { task } }: Setup): Promise<void> {
  const file = `${folder}/config.json`;
  const labels = labelsOf(modelConfig({ ...((await readJson(file)) as object) }, file));
  if (!labels || !task.labels || String(labels) === String(task.labels)) return;
  throw new HypetuneError(
    `${name}: the model tells ${labels.join(', ')}, the task has ${task.labels.join(', ')}; they must be the same, in the same order.`,
  );
}
