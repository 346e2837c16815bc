import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  configOf,
  configText,
  diskFolder,
  labelsOf,
  saveModel,
  tokenizerConfig,
  tokenizerJson,
} from '@hypetune/models';
import { modelGraph, PRECISION_FILES, type Precision, writeModel } from '@hypetune/onnx';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { writeFolder } from '../atomic.js';
import type { RunRecord } from '../run-folder.js';
import { modelCard } from './model-card.js';

/** What is written where nothing is said. */
export const DEFAULT_PRECISIONS: readonly Precision[] = ['fp32', 'q8'];

/** A tuned model, and what other programs need to know to use it as `hypetune predict` does. */
export interface TunedModel {
  readonly model: LayersModel;
  /** The folder whose tokenizer the model was trained with. */
  readonly tokenizer: string;
  /** Tokens a row is cut to. */
  readonly maxLength: number;
  /** What the run says about itself; undefined where another tool trained the model. */
  readonly record?: RunRecord | undefined;
  readonly precisions?: readonly Precision[];
  /** Stops between two files, nothing written. */
  readonly signal?: AbortSignal;
}

/**
 * Writes the folder that `transformers`, transformers.js and inference servers take: config.json, model.safetensors, the tokenizer in
 * two files, ONNX graphs under onnx/ and a model card. Whole or not at all.
 */
export async function exportModel(folder: string, tuned: TunedModel): Promise<void> {
  const { model, tokenizer, maxLength, record, precisions = DEFAULT_PRECISIONS, signal } = tuned;
  const file = await tokenizerJson(diskFolder(tokenizer));
  const settings = { ...(await tokenizerConfig(diskFolder(tokenizer))), model_max_length: maxLength };
  await writeFolder(folder, async (fresh) => {
    await saveModel(model, fresh, { tokenizer });
    await writeFile(join(fresh, 'tokenizer.json'), json(file));
    await writeFile(join(fresh, 'tokenizer_config.json'), json(settings));
    await mkdir(join(fresh, 'onnx'));
    const files: string[] = [];
    for (const precision of precisions) {
      signal?.throwIfAborted();
      files.push(
        ...(await writeModel(join(fresh, 'onnx', PRECISION_FILES[precision]), modelGraph(model, precision))),
      );
    }
    signal?.throwIfAborted();
    await nameExternalData(join(fresh, 'config.json'), files);
    const config = configOf(model);
    await writeFile(
      join(fresh, 'README.md'),
      await modelCard({
        name: folderName(folder),
        config,
        labels: labelsOf(config) ?? [],
        maxLength,
        record,
        precisions,
      }),
    );
  });
}

/** transformers.js fetches a graph's second file where config.json says that there is one. */
async function nameExternalData(path: string, files: readonly string[]): Promise<void> {
  const split = files.filter((name) => name.endsWith('_data')).map((name) => name.replace(/_data$/, ''));
  if (split.length === 0) return;
  const config = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  const external = { use_external_data_format: Object.fromEntries(split.map((name) => [name, 1])) };
  await writeFile(path, configText({ ...config, 'transformers.js_config': external }));
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const folderName = (folder: string): string => resolve(folder).split(/[\\/]/).at(-1)!;
