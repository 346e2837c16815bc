import { copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type PendingTensor, streamSafetensors } from '@hypetune/safetensors';
import { configOf } from '../build-model.js';
import { tokenizerJson } from '../tokenizer/load-tokenizer.js';
import { configText } from './config-text.js';
import { folderOf } from './load-model.js';
import { namedWeights, transpose } from './weight-names.js';

const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
];

/** Where the tokenizer's files come from: default, the folder that the model was loaded from. */
export interface SaveModelOptions {
  readonly tokenizer?: string;
}

/**
 * Writes a Hugging Face folder: config.json, model.safetensors and the tokenizer's files, with a tokenizer.json made from
 * vocab.txt, or vocab.json and merges.txt, where there is none. Each file is written beside its place, the weights
 * one by one, and renamed when complete.
 */
export async function saveModel(
  model: LayersModel,
  folder: string,
  options: SaveModelOptions = {},
): Promise<void> {
  const carried = configOf(model);
  // What is written is float32, whatever was read.
  const config = {
    ...carried,
    ...('torch_dtype' in carried && { torch_dtype: 'float32' }),
    dtype: 'float32',
  };
  const tensors = namedWeights(model).map(({ name, kind, storedShape, variable }) => {
    const read = async (): Promise<Float32Array> => {
      const values = (await variable.read().data()) as Float32Array;
      const rows = storedShape[0]!;
      return kind === 'linear' ? transpose(values, values.length / rows, rows) : values;
    };
    return [name, { dtype: 'F32', shape: storedShape, read }] as const satisfies [string, PendingTensor];
  });
  await mkdir(folder, { recursive: true });
  await replaceFile(join(folder, 'model.safetensors'), streamSafetensors(tensors, { format: 'pt' }));
  await replaceFile(join(folder, 'config.json'), configText(config));
  const tokenizer = options.tokenizer ?? folderOf(model);
  if (tokenizer === undefined || resolve(tokenizer) === resolve(folder)) return;
  const present = new Set(await readdir(tokenizer));
  for (const name of TOKENIZER_FILES.filter((file) => present.has(file))) {
    await copyFile(join(tokenizer, name), join(folder, name));
  }
  if (present.has('tokenizer.json') || !(present.has('vocab.txt') || present.has('vocab.json'))) return;
  // Other programs read tokenizer.json alone. Where it cannot be made, the files that were copied say as much as before.
  const made = await tokenizerJson(tokenizer).catch(() => undefined);
  if (made) await replaceFile(join(folder, 'tokenizer.json'), `${JSON.stringify(made, null, 2)}\n`);
}

async function replaceFile(path: string, content: string | AsyncIterable<Uint8Array>): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    await writeFile(partial, content);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
