import type { LayersModel } from '@tensorflow/tfjs-layers';
import { diskFolder } from '../disk-folder.js';
import { type LoadedModel, type LoadModelOptions, readModel } from './read-model.js';

const folders = new WeakMap<LayersModel, string>();

/** The folder that a model was loaded from. */
export function folderOf(model: LayersModel): string | undefined {
  return folders.get(model);
}

/** {@link readModel} of a folder on the disk. */
export async function loadModel(folder: string, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const loaded = await readModel(diskFolder(folder), options);
  folders.set(loaded.model, folder);
  return loaded;
}
