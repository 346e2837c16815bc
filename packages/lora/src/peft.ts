import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Trainer } from '@hypetune/core';
import { adapterFiles, type AdapterSettings } from './adapter-files.js';
import { mergeAdapterFiles, type MergeReport } from './adapter-merging.js';

/**
 * Writes the adapter that a running `fit` has trained as a folder that PEFT loads: `PeftModel.from_pretrained(base, folder)`. To
 * be called in a tap of `onEpoch` or `onFitEnd`; `adapterFiles` says of which weights.
 */
export async function saveAdapter(
  trainer: Trainer,
  folder: string,
  settings: AdapterSettings = {},
): Promise<void> {
  const files = await adapterFiles(trainer, settings);
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(files) as [string, string | Uint8Array][]) {
    const path = join(folder, name);
    await writeFile(`${path}.partial`, content);
    await rename(`${path}.partial`, path);
  }
}

/** Adds the adapter in a PEFT folder to a model's weights, as `mergeAdapterFiles` does. */
export async function mergeAdapter(model: LayersModel, folder: string): Promise<MergeReport> {
  return mergeAdapterFiles(model, {
    'adapter_config.json': await readFile(join(folder, 'adapter_config.json'), 'utf8'),
    'adapter_model.safetensors': new Uint8Array(await readFile(join(folder, 'adapter_model.safetensors'))),
  });
}
